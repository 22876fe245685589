"""The command that lists deliveries, that is, what handlers owe."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape

from cli.app import app, assemble, console
from cli.database import require_handler, transaction
from cli.options import Json
from cli.output import duration_text, show, table_of, write_json
from models.deliveries.backlog import ListedDelivery, listing, summary
from models.deliveries.table import DeliveryState

MEANINGS = {
    DeliveryState.DUE: "ready for a worker",
    DeliveryState.LEASED: "handed out to a worker",
    DeliveryState.WAITING: "due later, or once another handler is done with the same event",
    DeliveryState.DEAD: "not tried again; `insights replay --dead` makes them due again",
}
COLORS = {
    DeliveryState.DUE: "green",
    DeliveryState.LEASED: "cyan",
    DeliveryState.WAITING: "yellow",
    DeliveryState.DEAD: "red",
}


@app.command()
def deliveries(
    handler: Annotated[str | None, typer.Option(help="Only what this handler owes.")] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    event: Annotated[UUID | None, typer.Option(help="Only what is owed for this event.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List what handlers owe: each delivery is one handler's debt to one event.

    The longest due come first. Work that is done is not listed: its delivery is
    deleted when it is done.
    """
    with closing(assemble()) as assembly, transaction(assembly) as connection:
        if handler is not None:
            require_handler(connection, handler)
        rows = listing(connection, handler=handler, event=event, state=state, at_most=limit)
        totals = summary(connection, handler)
    counts = {each: sum(getattr(row, each) for row in totals) for each in DeliveryState}
    if as_json:
        write_json({"deliveries": [entry(row) for row in rows], "summary": counts})
        return
    if rows:
        show_deliveries(rows)
        console.print()
    show_summary(counts, max((row.oldest for row in totals if row.oldest), default=None))


def entry(row: ListedDelivery) -> dict[str, Any]:
    """One delivery as JSON."""
    names = (
        "handler", "event_id", "type", "state", "due_at", "died_at", "attempts", "leases",
        "last_error",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def show_deliveries(rows: Sequence[ListedDelivery]) -> None:
    """Print a table of deliveries, with an event's type above its id."""
    table = table_of("handler", "event", "state", "tries", "last error")
    # A terminal that is too narrow breaks the errors, so that ids can be copied.
    for column in table.columns[:3]:
        column.no_wrap = True
    for row in rows:
        color = COLORS[DeliveryState(row.state)]
        table.add_row(
            row.handler,
            f"{row.type or 'pruned'}\n[dim]{row.event_id}[/dim]",
            f"[{color}]{row.state}[/{color}]\n{when(row.state, row.due_in)}",
            str(row.attempts),
            escape(row.last_error or ""),
        )
    show(table)


def when(state: DeliveryState, due_in: timedelta) -> str:
    """How long ago or in how long a delivery became or becomes what its state says."""
    match state:
        case DeliveryState.DUE:
            return f"for {duration_text(due_in)}"
        case DeliveryState.DEAD:
            return f"{duration_text(due_in)} ago"
        case DeliveryState.LEASED:
            return f"{duration_text(due_in)} left"
        case _ if due_in < timedelta(0):
            return "for another handler"
        case _:
            return f"in {duration_text(due_in)}"


def show_summary(counts: dict[DeliveryState, int], oldest: timedelta | None) -> None:
    """Print a table with one line per state; `oldest` is how long the oldest has been due."""
    table = table_of("state", "deliveries", "")
    for state, count in counts.items():
        meaning = MEANINGS[state]
        if state is DeliveryState.DUE and oldest:
            meaning += f"; the oldest for {duration_text(oldest)}"
        table.add_row(state, f"{count:,}", meaning)
    show(table)
