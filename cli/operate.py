"""Commands that pause and resume handlers, and forget old events."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Annotated

import typer

from cli.app import app, assemble, console
from cli.database import require_handler, ring, session, transaction
from cli.output import counted
from handlers.prune import AT_ONCE
from handlers.prune import prune as prune_some
from models import pauses
from models.retention import count_old
from runtime.assembly import Assembly

Name = Annotated[
    str, typer.Argument(metavar="HANDLER", help="Its name; `insights handlers` lists them.")
]


@app.command()
def pause(handler: Name) -> None:
    """Hand nothing more out to a handler. What it owes is kept until `insights resume`."""
    with closing(assemble()) as assembly, transaction(assembly) as connection:
        require_handler(connection, handler)
        pauses.pause(connection, handler)
    console.print(f"{handler} is paused. What it owes waits for `insights resume {handler}`.")


@app.command()
def resume(handler: Name) -> None:
    """Let a handler work again: ends its pause, and its rest if its provider was down."""
    with closing(assemble()) as assembly:
        with transaction(assembly) as connection:
            require_handler(connection, handler)
            pauses.resume(connection, handler)
        ring(assembly)
    console.print(f"{handler} works again.")


@app.command()
def prune(
    older_than: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, metavar="DAYS", help="By default RETENTION_DAYS."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
) -> None:
    """Forget old events that nobody owes anything for. The scheduler does so daily.

    It may be interrupted and repeated: each 10,000 events are a transaction.
    """
    with closing(assemble()) as assembly:
        days = older_than or assembly.settings.retention_days
        age = timedelta(days=days)
        if dry_run:
            with transaction(assembly) as connection:
                count = count_old(connection, age)
            console.print(f"{count:,} events are older than {days} days and owed by nobody.")
        else:
            gone = counted(prune_steps(assembly, age), "gone")
            console.print(f"{gone:,} events older than {days} days are gone.")


def prune_steps(assembly: Assembly, age: timedelta) -> Iterator[int]:
    """Prune until nothing is left to prune; yields how many events each step forgot."""
    some = AT_ONCE
    while some == AT_ONCE:
        with session(assembly) as opened:
            some = prune_some(opened, age)
        yield some
