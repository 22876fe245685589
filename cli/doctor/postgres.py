"""Whether PostgreSQL answers, is migrated and closed to strangers, and has no backlog."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, OperationalError

from cli.doctor.finding import Finding, Status
from events.contract.schema import data_schema
from models import server as database
from models.deliveries.backlog import HandlerBacklog, summary
from models.event_types import registered_types
from models.subscriptions import subscriptions
from runtime.assembly import Assembly
from runtime.migrate import alembic_config
from settings import MissingSetting

if TYPE_CHECKING:
    from sqlalchemy import Connection

NAME = "PostgreSQL"
OLDEST_TESTED = 150_000  # as in server_version_num
LATE = timedelta(minutes=1)  # a delivery is due for milliseconds where all is well
MIGRATE = "Run `insights migrate`."


def check_postgres(assembly: Assembly) -> Iterator[Finding]:
    """Check the server, then the tables, then, if they are up to date, what is in them."""
    try:
        with assembly.engine.connect() as connection:
            yield from check_server(connection)
            behind = check_migrations(connection)
            yield behind
            if behind.status is Status.OK:
                yield check_registry(connection, assembly)
                yield check_rights(connection)
                yield from check_deliveries(connection, assembly)
    except MissingSetting as error:
        yield Finding(NAME, Status.WRONG, "not configured", str(error))
    except OperationalError as error:
        yield Finding(
            NAME, Status.WRONG, first_line(error), "Is it running, and DATABASE_URL right?"
        )
    except DBAPIError as error:
        yield Finding(
            NAME, Status.WRONG, first_line(error), "May this role use the schema insights?"
        )


def first_line(error: DBAPIError) -> str:
    """The first line of the message of PostgreSQL or its driver."""
    return str(error.orig).strip().split("\n", maxsplit=1)[0]


def check_server(connection: "Connection") -> Iterator[Finding]:
    """Which server answers, and whether it does so through a pooler."""
    server = database.server(connection)
    detail = f"{server.version}, database {server.database} as {server.role}"
    if server.number < OLDEST_TESTED:
        yield Finding(NAME, Status.HINT, detail, "It is tested with PostgreSQL 15 and later.")
    else:
        yield Finding(NAME, Status.OK, detail)
    # A pooler reports a made-up process id when a connection is opened.
    driver = cast("Any", connection.connection.driver_connection)
    if driver.info.backend_pid != server.pid:
        yield Finding("pooler", Status.OK, "reached through a pooler; transaction mode will do")


def check_migrations(connection: "Connection") -> Finding:
    what = "migrations"
    script = ScriptDirectory.from_config(alembic_config(connection))
    ours = [each.revision for each in script.walk_revisions()]
    current = database.revision(connection)
    if current not in (None, *ours):
        detail = f"at {current}, which this code does not know"
        return Finding(what, Status.HINT, detail, "The database is ahead: update this code.")
    behind = len(ours) if current is None else ours.index(current)
    if behind:
        detail = f"{behind} behind: at {current or 'nothing'}, the code at {ours[0]}"
        return Finding(what, Status.WRONG, detail, MIGRATE)
    return Finding(what, Status.OK, f"at {ours[0]}, the newest")


def check_registry(connection: "Connection", assembly: Assembly) -> Finding:
    """Whether the database has the same event types and subscriptions as the code."""
    types = {
        type_: (class_.version, data_schema(class_)) for type_, class_ in assembly.catalogue.items()
    }
    follows = {(type_, each.name) for each in assembly.handlers.values() for type_ in each.types}
    known = registered_types(connection)
    differing = sorted(type_ for type_, rules in types.items() if known.get(type_) != rules)
    differing += sorted(" → ".join(pair) for pair in follows ^ subscriptions(connection))
    if differing:
        detail = f"the database differs from the code in {', '.join(differing)}"
        return Finding("registry", Status.WRONG, detail, MIGRATE)
    detail = f"{len(types)} events, {len(assembly.handlers)} handlers, as in the code"
    return Finding("registry", Status.OK, detail)


def check_rights(connection: "Connection") -> Finding:
    """Whether the tables and functions are closed to all roles but ours."""
    leaks = database.leaks(connection)
    if leaks:
        hint = "`insights migrate` set these rights on a new database; they were changed since."
        return Finding("rights", Status.WRONG, "; ".join(leaks), hint)
    return Finding("rights", Status.OK, "row-level security is on, strangers may call nothing")


def check_deliveries(connection: "Connection", assembly: Assembly) -> Iterator[Finding]:
    """Whether due deliveries are handled, and whether any are dead or belong to no handler."""
    rows = summary(connection)
    due, dead = sum(row.due for row in rows), sum(row.dead for row in rows)
    late = [row.handler for row in rows if row.oldest and row.oldest > LATE and not is_stopped(row)]
    hint = ""
    if late:
        hint = f"{', '.join(late)}: due for over a minute. Do a relay and a worker run?"
    elif dead:
        hint = "`insights deliveries --state dead` shows why."
    status = Status.HINT if hint else Status.OK
    yield Finding("deliveries", status, f"{due:,} due, {dead:,} dead", hint)
    if idle := [row.handler for row in rows if is_stopped(row)]:
        hint = "`insights resume HANDLER` ends a pause, and closes a circuit breaker."
        yield Finding("handlers", Status.HINT, f"{', '.join(idle)}: paused, or circuit open", hint)
    if gone := [row.handler for row in rows if owes(row) and row.handler not in assembly.handlers]:
        detail = f"{', '.join(gone)}: owes something, but is not in the code"
        yield Finding("handlers", Status.HINT, detail, "Was it renamed? See EXTRA_PACKAGES too.")


def is_stopped(row: HandlerBacklog) -> bool:
    """Whether a handler is paused, or its circuit breaker is open."""
    return row.paused or row.resume_at is not None


def owes(row: HandlerBacklog) -> bool:
    return bool(row.due + row.leased + row.waiting + row.dead)
