"""Whether PostgreSQL answers, is migrated and closed to strangers, and has no backlog."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, OperationalError

from cli.doctor.connections import check_connections
from cli.doctor.finding import Finding, Status
from models import server as database
from models.deliveries.backlog import HandlerBacklog, summary
from models.providers import providers
from runtime.assembly import Assembly
from runtime.migrate import alembic_config
from runtime.registration import left_alone, missing
from settings import MissingSetting

if TYPE_CHECKING:
    from sqlalchemy import Connection

NAME = "PostgreSQL"
OLDEST_TESTED = 150_000  # as in server_version_num
LATE = timedelta(minutes=1)  # a delivery is due for milliseconds where all is well
MIGRATE = "Run `insights migrate`."
SWITCHES = {True: "on", False: "off", None: "undecided, so off"}


def check_postgres(assembly: Assembly) -> Iterator[Finding]:
    """Check the server, then the tables, then, if they are up to date, what is in them."""
    try:
        with assembly.engine.connect() as connection:
            yield from check_server(connection)
            behind = check_migrations(connection)
            yield behind
            if behind.status is not Status.WRONG:
                yield check_registry(connection, assembly)
                yield check_switches(connection, assembly)
                yield check_rights(connection)
                yield from check_deliveries(connection, assembly)
            yield check_connections(connection, assembly)
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
    if database.is_read_only(connection):
        detail = "takes no writes now: it is a replica, or set to read-only"
        hint = "Nothing can be published or handled. Does DATABASE_URL lead to the primary?"
        yield Finding(NAME, Status.WRONG, detail, hint)
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
        hint = "A newer release migrated it; this one runs on it as it is."
        return Finding(what, Status.HINT, detail, hint)
    behind = len(ours) if current is None else ours.index(current)
    if behind:
        detail = f"{behind} behind: at {current or 'nothing'}, the code at {ours[0]}"
        return Finding(what, Status.WRONG, detail, MIGRATE)
    return Finding(what, Status.OK, f"at {ours[0]}, the newest")


def check_registry(connection: "Connection", assembly: Assembly) -> Finding:
    """Whether the database knows all event types and subscriptions of the code, and which others.

    Others are no fault: another release, or code with other EXTRA_PACKAGES, may have them.
    """
    lacking = missing(connection, assembly.catalogue, assembly.handlers)
    if lacking:
        detail = f"the database lacks what the code has: {', '.join(lacking)}"
        return Finding("registry", Status.WRONG, detail, MIGRATE)
    count = f"{len(assembly.catalogue)} events, {len(assembly.handlers)} handlers, as in the code"
    extra = list(left_alone(connection, assembly.catalogue, assembly.handlers))
    if extra:
        return Finding("registry", Status.HINT, f"{count}, and more", "\n".join(extra))
    return Finding("registry", Status.OK, count)


def check_switches(connection: "Connection", assembly: Assembly) -> Finding:
    """Which providers are on, for all hosts, and whether that fits the keys of this one."""
    what, found = "switches", providers(connection)
    detail = "; ".join(f"{each.name} is {SWITCHES[each.is_on]}" for each in found)
    unused = [each.name for each in found if not each.is_on and each.name in assembly.providers]
    if unused:
        commands = ", ".join(f"`insights providers on {name}`" for name in unused)
        return Finding(what, Status.HINT, detail, f"The key is here: {commands}, if it is wanted.")
    status = Status.OK if any(each.is_on for each in found) else Status.OFF
    return Finding(what, status, detail or "no handler needs a provider")


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
    if idle := [row.handler for row in rows if row.paused or row.resume_at is not None]:
        hint = "`insights resume HANDLER` ends a pause, and closes a circuit breaker."
        yield Finding("handlers", Status.HINT, f"{', '.join(idle)}: paused, or circuit open", hint)
    if gone := [row.handler for row in rows if owes(row) and row.handler not in assembly.handlers]:
        detail = f"{', '.join(gone)}: owes something, but is not in the code"
        hint = "Does another release or package have it? Else `insights handlers retire HANDLER`."
        yield Finding("handlers", Status.HINT, detail, hint)


def is_stopped(row: HandlerBacklog) -> bool:
    """Whether a handler is paused, its provider is off, or its circuit breaker is open."""
    return row.paused or row.is_off or row.resume_at is not None


def owes(row: HandlerBacklog) -> bool:
    return bool(row.due + row.leased + row.waiting + row.dead)
