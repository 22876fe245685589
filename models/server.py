"""What the database says of itself: its server, its migration, its clock, and who may do what."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

SERVER = text("""
    SELECT current_setting('server_version') AS version,
           CAST(current_setting('server_version_num') AS integer) AS number,
           current_user AS role, current_database() AS database, pg_backend_pid() AS pid
""")

# How many connections the server takes from those who are no superusers, and how many it has.
ROOM = text("""
    SELECT CAST(current_setting('max_connections') AS integer)
               - CAST(current_setting('superuser_reserved_connections') AS integer),
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
""")

# A replica, a role or database that may only read, or a provider that stopped writes (full disk).
READ_ONLY = text("""
    SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'
""")

# Two statements: naming a table that is not there would fail.
MIGRATED = text("SELECT to_regclass('insights.alembic_version') IS NOT NULL")
REVISION = text("SELECT version_num FROM insights.alembic_version")

# Rights that are wrong. Supabase shows `public` to browsers, which come as one of these roles.
LEAKS = text("""
    WITH roles AS (
        SELECT 'public' AS name
        UNION SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
    )
    SELECT r.name || ' may look into the schema insights' FROM roles r
    WHERE has_schema_privilege(r.name, 'insights', 'USAGE')
    UNION ALL
    SELECT r.name || ' may call ' || CAST(CAST(p.oid AS regprocedure) AS text)
    FROM roles r, pg_proc p
    WHERE p.pronamespace = CAST('public' AS regnamespace)
      AND p.proname IN ('publish_event', 'increment_usage', 'check_limit')
      AND has_function_privilege(r.name, p.oid, 'EXECUTE')
    UNION ALL
    SELECT CAST(CAST(c.oid AS regclass) AS text) || ' has no row-level security' FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
      AND (c.relnamespace = CAST('insights' AS regnamespace) AND c.relname <> 'alembic_version'
           OR c.oid = to_regclass('public.usage_limits')
           OR c.oid = to_regclass('public.profiles') AND EXISTS (
               SELECT FROM roles r WHERE r.name <> 'public'))
    UNION ALL
    SELECT 'this role is itself subject to row-level security and sees no rows'
    WHERE row_security_active('insights.events')
""")


class Server(NamedTuple):
    """A PostgreSQL server as it presents itself; `pid` is that of this connection's process."""

    version: str
    number: int
    role: str
    database: str
    pid: int


OLDEST = """
    SELECT coalesce(min(xact_start), now()) FROM pg_stat_activity
    WHERE datname = current_database()
"""


class ConnectionRoom(NamedTuple):
    """Connections of a server: how many it allows, how many are open."""

    allowed: int
    used: int


def server(on: Connection) -> Server:
    """Which server this is, and as whom we speak to it."""
    return Server(*on.execute(SERVER).one())


def revision(on: Connection) -> str | None:
    """The migration that the database is at; None before the first."""
    if not on.scalar(MIGRATED):
        return None
    found: str | None = on.scalar(REVISION)
    return found


def database_time(on: Connection | Session) -> datetime:
    """The database's clock, the only one that decides anything."""
    now: datetime = on.execute(text("SELECT now()")).scalar_one()
    return now


def oldest_transaction(on: Connection) -> datetime:
    """When the oldest transaction began that is open in this database and that we may see."""
    began: datetime = on.execute(text(OLDEST)).scalar_one()
    return began


def connection_room(on: Connection) -> ConnectionRoom:
    """How many connections the server allows and has; a pooler in between has its own limits."""
    return ConnectionRoom(*on.execute(ROOM).one())


def is_read_only(on: Connection) -> bool:
    """Whether this server takes no writes now: nothing can be published or handled then."""
    return bool(on.scalar(READ_ONLY))


def leaks(on: Connection) -> Sequence[str]:
    """What is open to those for whom it is not meant, or closed to us; each a short sentence."""
    return on.scalars(LEAKS).all()
