"""Connections to PostgreSQL that also work through a transaction pooler."""

from dataclasses import dataclass
from threading import Event
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

from models.deadline import Deadlines
from models.driver import Connection

WAIT_FOR_CONNECTION = 10  # seconds; who waits longer is told that the database is away
STOPPED = "stopped"  # key of Session.info: the event that is set when the process should end

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

    @property
    def settings(self) -> bytes:
        """The statement that each transaction begins with."""
        idle_ms, lock_ms = round(self.idle * 1000), round(self.lock * 1000)
        return TRANSACTION_SETTINGS.format(idle_ms=idle_ms, lock_ms=lock_ms).encode()


def connect(
    url: str,
    *,
    size: int = 5,
    name: str = "insights",
    timeouts: TransactionTimeouts | None = None,
    deadlines: Deadlines | None = None,
    wait: float = WAIT_FOR_CONNECTION,
) -> Engine:
    """An engine of at most `size` connections; who waits for one longer than `wait` seconds fails.

    No prepared statements are kept and no session state is set: any transaction may run on
    any connection of a pooler. Errors hide their parameters, which may be personal data.
    """
    return make_engine(
        url,
        timeouts or TransactionTimeouts(),
        deadlines or Deadlines(),
        {"application_name": name},
        pool_size=size,
        max_overflow=0,
        pool_timeout=wait,
        pool_recycle=1800,  # seconds: balancers forget idle connections after an hour at most
    )


def connect_for_each_look(url: str, lifetime: float) -> Engine:
    """An engine without a pool, for looks that end within `lifetime` seconds, come what may."""
    return make_engine(
        url,
        TransactionTimeouts(),
        Deadlines(lifetime=lifetime),
        {"application_name": "insights-probe", "connect_timeout": 2, "tcp_user_timeout": 2_000},
        poolclass=NullPool,
    )


def make_engine(
    url: str,
    timeouts: TransactionTimeouts,
    deadlines: Deadlines,
    connect_args: dict[str, Any],
    **options: Any,
) -> Engine:
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",  # said with each BEGIN, whatever a role's default is
        use_native_hstore=False,  # else each process asks for a type that nothing here uses
        hide_parameters=True,
        connect_args={
            "prepare_threshold": None,  # a prepared statement belongs to one server connection
            "client_encoding": "utf8",
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,  # ms until a connection that went silent is given up
        }
        | connect_args,
        **options,
    )
    settings = timeouts.settings

    def open_connection(_dialect: Any, _record: Any, args: Any, options: Any) -> Connection:
        connection = Connection.connect(*args, **options)
        connection.settings, connection.deadlines = settings, deadlines
        return connection

    event.listen(engine, "do_connect", open_connection)
    return engine


def session_factory(engine: Engine, stopped: Event | None = None) -> "sessionmaker[Session]":
    """Sessions that keep what they read after a commit.

    Once `stopped` is set, their transactions are not tried again.
    """
    return sessionmaker(engine, expire_on_commit=False, info={STOPPED: stopped})
