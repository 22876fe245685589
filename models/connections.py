"""Connections to PostgreSQL that also work through a transaction pooler."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker


def connect(url: str, *, size: int = 5, name: str = "insights") -> Engine:
    """An engine of at most `size` connections, plus as many in a rush.

    No prepared statements are kept and no session state is set: any transaction may run on
    any connection of a pooler. Errors hide their parameters, which may be personal data.
    """
    return create_engine(
        url,
        pool_size=size,
        max_overflow=size,
        pool_recycle=1800,  # seconds: balancers forget idle connections after an hour at most
        hide_parameters=True,
        connect_args={
            "prepare_threshold": None,  # a prepared statement belongs to one server connection
            "connect_timeout": 5,
            "application_name": name,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,  # ms until a connection that went silent is given up
        },
    )


def session_factory(engine: Engine) -> "sessionmaker[Session]":
    """Sessions that keep what they read after a commit."""
    return sessionmaker(engine, expire_on_commit=False)
