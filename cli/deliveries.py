"""The command that shows what is owed."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape

from cli.app import app, assemble, console
from cli.database import require_handler, transaction
from cli.output import Json, human, show, table_of, write_json
from models.backlog import State, listing, summary

MEANINGS = {
    State.DUE: "ready for a worker",
    State.LEASED: "handed out to a worker",
    State.WAITING: "due later, after a failure or because the handler asked for it",
    State.DEAD: "given up; `insights replay --dead` makes them due again",
}
COLORS = {
    State.DUE: "green", State.LEASED: "cyan", State.WAITING: "yellow", State.DEAD: "red"
}  # fmt: skip


@app.command()
def deliveries(
    handler: Annotated[str | None, typer.Option(help="Only what this handler owes.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    event: Annotated[UUID | None, typer.Option(help="Only what is owed for this event.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List what handlers owe: each delivery is one handler's debt to one event.

    The longest due stand first. Work that is done is not listed: when it is done,
    its delivery is gone.
    """
    with closing(assemble()) as assembly, transaction(assembly) as connection:
        if handler is not None:
            require_handler(connection, handler)
        rows = listing(connection, handler=handler, event=event, state=state, at_most=limit)
        totals = summary(connection, handler)
    counts = {each: sum(getattr(row, each) for row in totals) for each in State}
    if as_json:
        write_json({"deliveries": [entry(row) for row in rows], "summary": counts})
        return
    if rows:
        show_deliveries(rows)
        console.print()
    show_summary(counts, max((row.oldest for row in totals if row.oldest), default=None))


def entry(row: Any) -> dict[str, Any]:
    """One delivery for a program."""
    names = (
        "handler", "event_id", "type", "state", "due_at", "died_at", "attempts", "leases",
        "last_error",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def show_deliveries(rows: Sequence[Any]) -> None:
    """Deliveries for a person, an event's type above its id."""
    table = table_of("handler", "event", "state", "tries", "last error")
    for column in table.columns[:3]:
        column.no_wrap = True
    for row in rows:
        color = COLORS[State(row.state)]
        table.add_row(
            row.handler,
            f"{row.type or 'pruned'}\n[dim]{row.event_id}[/dim]",
            f"[{color}]{row.state}[/{color}]\n{when(row.state, row.due_in)}",
            str(row.attempts),
            escape(row.last_error or ""),
        )
    show(table)


def when(state: str, due_in: timedelta) -> str:
    """Since when, or in how long."""
    match state:
        case State.DUE:
            return f"for {human(due_in)}"
        case State.DEAD:
            return f"{human(due_in)} ago"
        case State.LEASED:
            return f"{human(due_in)} left"
        case _:
            return f"in {human(due_in)}"


def show_summary(counts: dict[State, int], oldest: timedelta | None) -> None:
    """A line per state."""
    table = table_of("state", "deliveries", "")
    for state, count in counts.items():
        since = f"; the oldest for {human(oldest)}" if state is State.DUE and oldest else ""
        table.add_row(state, f"{count:,}", MEANINGS[state] + since)
    show(table)
