"""Commands that show handlers and their state, and pause and resume them."""

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import typer
from sqlalchemy.exc import DBAPIError

from cli.app import DatabaseRefused, app, assemble, console, problems
from cli.catalogue import followers
from cli.database import require_handler, retried, ring, transaction
from cli.options import HandlerName, Json
from cli.output import NO_HANDLER, duration_text, show, table_of, write_json
from handlers import Handler
from models.deliveries.backlog import HandlerBacklog, summary
from models.handlers import table as handler_table
from runtime.assembly import Assembly
from settings import MissingSetting

if TYPE_CHECKING:
    from sqlalchemy import Connection

handlers = typer.Typer(help="Who follows which event, and their state; `retire` unsubscribes.")
app.add_typer(handlers, name="handlers")


@handlers.callback(invoke_without_command=True)
def list_handlers(context: typer.Context, as_json: Json = False) -> None:
    """Show which handlers follow from which event, and the state of each handler.

    The state comes from the database; without it, only what the code knows is
    shown. A handler whose provider is down is not handed out to: its circuit
    breaker is open. To one whose provider is off, nothing is owed.
    """
    if context.invoked_subcommand is not None:
        return
    with closing(assemble()) as assembly:
        backlogs = read_backlogs(assembly)
        followed = followers(assembly.catalogue, assembly.handlers)
        known = assembly.handlers
    if as_json:
        entries = [handler_entry(each, backlogs) for each in known.values()]
        others = [unknown_entry(row) for name, row in backlogs.items() if name not in known]
        write_json({"events": followed, "handlers": entries, "unknown_handlers": others})
        return
    events = table_of("event", "handlers")
    for type_, names in followed.items():
        events.add_row(type_, ", ".join(names) or NO_HANDLER)
    show(events)
    console.print()
    show_handlers(known, backlogs)


@app.command()
def pause(handler: HandlerName) -> None:
    """Hand nothing more out to a handler. What it owes is kept until `insights resume`."""

    def write(connection: "Connection") -> None:
        require_handler(connection, handler)
        handler_table.pause(connection, handler)

    with closing(assemble()) as assembly:
        retried(assembly, write)
    console.print(f"{handler} is paused. What it owes waits for `insights resume {handler}`.")


@app.command()
def resume(handler: HandlerName) -> None:
    """Let a handler work again: ends its pause, and closes its circuit breaker."""

    def write(connection: "Connection") -> None:
        require_handler(connection, handler)
        handler_table.resume(connection, handler)

    with closing(assemble()) as assembly:
        retried(assembly, write)
        # After the commit: the relay must see what it is rung for.
        ring(assembly)
    console.print(f"{handler} works again.")


def read_backlogs(assembly: Assembly) -> dict[str, HandlerBacklog]:
    """Handler → its backlog; empty, with the reason on stderr, without a database."""
    try:
        with transaction(assembly) as connection:
            return {row.handler: row for row in summary(connection)}
    except (MissingSetting, DatabaseRefused) as error:
        problems.print(f"[yellow]Only what the code knows:[/yellow] {error}", highlight=False)
    except DBAPIError:
        problems.print("[yellow]Only what the code knows:[/yellow] PostgreSQL does not answer.")
    return {}


def handler_entry(handler: Handler, backlogs: Mapping[str, HandlerBacklog]) -> dict[str, Any]:
    """One handler as JSON; what only the database knows is null without it."""
    row = backlogs.get(handler.name)
    return {
        "name": handler.name,
        "kind": handler.kind,
        "events": list(handler.types),
        "batch": handler.batch,
        "max_attempts": handler.max_attempts,
        "provider": handler.provider,
        "off": row.is_off if row else None,
        "paused": row.paused if row else None,
        # Programs read this key: it keeps its name.
        "resting_until": row.resume_at if row else None,
        "backlog": row.due if row else None,
        "dead": row.dead if row else None,
    }


def unknown_entry(row: HandlerBacklog) -> dict[str, Any]:
    """A handler that only the database knows, as JSON."""
    owed = row.due + row.leased + row.waiting + row.dead
    return {"name": row.handler, "provider": row.provider, "owed": owed, "dead": row.dead}


def show_handlers(known: Mapping[str, Handler], backlogs: Mapping[str, HandlerBacklog]) -> None:
    live = ("state", "backlog", "oldest", "dead") if backlogs else ()
    table = table_of("handler", "kind", "batch", "attempts", *live)
    for name, handler in known.items():
        row = backlogs.get(name)
        cells = (state_of(row), *backlog_of(row)) if backlogs else ()
        table.add_row(name, handler.kind, str(handler.batch), str(handler.max_attempts), *cells)
    for name, row in backlogs.items():
        if name not in known:
            cells = ("[yellow]not in this code[/yellow]", *backlog_of(row))
            table.add_row(name, "", "", "", *cells)
    show(table)


def state_of(row: HandlerBacklog | None) -> str:
    """Whether a handler is handed out to, in a word or two."""
    if row is None:
        return "[yellow]not migrated[/yellow]"
    if row.is_off:
        return f"[yellow]off[/yellow] ({row.provider})"
    if row.paused:
        return "[yellow]paused[/yellow]"
    return "[yellow]circuit open[/yellow]" if row.resume_at else "[green]working[/green]"


def backlog_of(row: HandlerBacklog | None) -> tuple[str, str, str]:
    """How much is due, for how long the oldest has been, and how much is dead."""
    if row is None:
        return "", "", ""
    return f"{row.due:,}", duration_text(row.oldest) if row.oldest else "", f"{row.dead:,}"
