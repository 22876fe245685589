"""The command that shows what follows from what, and how the handlers are doing."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError

from cli.app import app, assemble, console, problems
from cli.catalogue import followers
from cli.database import transaction
from cli.errors import DatabaseRefused
from cli.output import NOBODY, Json, human, show, table_of, write_json
from handlers import Handler
from models.backlog import summary
from runtime.assembly import Assembly
from settings import MissingSetting


@app.command()
def handlers(as_json: Json = False) -> None:
    """Show which handlers follow from which event, and how each handler is doing.

    How they are doing is known to the database alone; without it, only what the
    code knows is shown. A handler rests while its provider is down.
    """
    with closing(assemble()) as assembly:
        condition = conditions(assembly)
        followed = followers(assembly.catalogue, assembly.handlers)
        known = assembly.handlers
    if as_json:
        entries = [handler_entry(each, condition) for each in known.values()]
        write_json({"events": followed, "handlers": entries})
        return
    events = table_of("event", "handlers")
    for type_, names in followed.items():
        events.add_row(type_, ", ".join(names) or NOBODY)
    show(events)
    console.print()
    show_handlers(known, condition)


def conditions(assembly: Assembly) -> dict[str, Any]:
    """Handler → its row of the backlog's summary; says why where the database is not there."""
    try:
        with transaction(assembly) as connection:
            return {row.handler: row for row in summary(connection)}
    except (MissingSetting, DatabaseRefused) as error:
        problems.print(f"[yellow]Only what the code knows:[/yellow] {error}", highlight=False)
    except (OperationalError, InterfaceError):
        problems.print("[yellow]Only what the code knows:[/yellow] PostgreSQL does not answer.")
    return {}


def handler_entry(handler: Handler, condition: Mapping[str, Any]) -> dict[str, Any]:
    """One handler for a program; what only the database knows is null without it."""
    row = condition.get(handler.name)
    return {
        "name": handler.name,
        "kind": handler.kind,
        "events": list(handler.types),
        "batch": handler.batch,
        "max_attempts": handler.max_attempts,
        "paused": row.paused if row else None,
        "resting_until": row.resume_at if row else None,
        "backlog": row.due if row else None,
        "dead": row.dead if row else None,
    }


def show_handlers(known: Mapping[str, Handler], condition: Mapping[str, Any]) -> None:
    """All handlers for a person."""
    live = ("state", "backlog", "oldest", "dead") if condition else ()
    table = table_of("handler", "kind", "batch", "attempts", *live)
    for name, handler in known.items():
        row = condition.get(name)
        cells = (state_of(row), *backlog_of(row)) if condition else ()
        table.add_row(name, handler.kind, str(handler.batch), str(handler.max_attempts), *cells)
    show(table)


def state_of(row: Any) -> str:
    """Whether a handler works, in a word or two."""
    if row is None:
        return "[yellow]not migrated[/yellow]"
    if row.paused:
        return "[yellow]paused[/yellow]"
    return "[yellow]resting[/yellow]" if row.resume_at else "[green]working[/green]"


def backlog_of(row: Any) -> tuple[str, str, str]:
    """How much is due, since when, and how much is dead."""
    if row is None:
        return "", "", ""
    return f"{row.due:,}", human(row.oldest) if row.oldest else "", f"{row.dead:,}"
