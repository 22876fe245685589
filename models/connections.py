"""Connections to PostgreSQL that also work through a transaction pooler."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

WAIT_FOR_CONNECTION = 10  # seconds; who waits longer is told that the database is away

# What a server or a role may have set otherwise, set for each transaction: through a pooler, no
# session is ours. A role's asynchronous commit would break the promise that a commit lasts; a
# stricter level than ours stays.
TRANSACTION_SETTINGS = """
    SELECT set_config('idle_in_transaction_session_timeout', '{idle_ms}', true),
           set_config('lock_timeout', '{lock_ms}', true),
           set_config('statement_timeout', '0', true),
           set_config('TimeZone', 'UTC', true),
           set_config('DateStyle', 'ISO, YMD', true),
           set_config('IntervalStyle', 'postgres', true),
           set_config('row_security', 'on', true),
           set_config('jit', 'off', true),
           set_config('synchronous_commit', CASE current_setting('synchronous_commit')
               WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)
"""


@dataclass(frozen=True)
class TransactionTimeouts:
    """How long a transaction may stand idle, and wait for a lock, in seconds.

    A process that is frozen or cut off in the middle frees what it locked after `idle`.
    """

    idle: float = 10
    lock: float = 10


def connect(
    url: str,
    *,
    size: int = 5,
    name: str = "insights",
    timeouts: TransactionTimeouts | None = None,
) -> Engine:
    """An engine of at most `size` connections.

    No prepared statements are kept and no session state is set: any transaction may run on
    any connection of a pooler. Errors hide their parameters, which may be personal data.
    """
    engine = create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=WAIT_FOR_CONNECTION,
        pool_recycle=1800,  # seconds: balancers forget idle connections after an hour at most
        isolation_level="READ COMMITTED",  # said with each BEGIN, whatever a role's default is
        use_native_hstore=False,  # else each process asks for a type that nothing here uses
        hide_parameters=True,
        connect_args={
            "prepare_threshold": None,  # a prepared statement belongs to one server connection
            "client_encoding": "utf8",
            "connect_timeout": 5,
            "application_name": name,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,  # ms until a connection that went silent is given up
        },
    )
    set_in_each_transaction(engine, timeouts or TransactionTimeouts())
    return engine


def set_in_each_transaction(engine: Engine, timeouts: TransactionTimeouts) -> None:
    """Have each transaction of the engine begin with TRANSACTION_SETTINGS: one round trip more."""
    settings = TRANSACTION_SETTINGS.format(
        idle_ms=round(timeouts.idle * 1000), lock_ms=round(timeouts.lock * 1000)
    )

    def set_up(connection: Connection) -> None:
        # In autocommit mode there is no transaction that the settings could last for.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql(settings)

    event.listen(engine, "begin", set_up)


def session_factory(engine: Engine) -> "sessionmaker[Session]":
    """Sessions that keep what they read after a commit."""
    return sessionmaker(engine, expire_on_commit=False)
