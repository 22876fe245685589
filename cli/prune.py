"""The command that deletes old events."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Annotated

import typer

from cli.app import app, assemble, console
from cli.database import session, transaction
from cli.output import sum_with_progress
from models.events import PRUNED_AT_ONCE, count_prunable
from models.events import prune as prune_some
from runtime.assembly import Assembly


@app.command()
def prune(
    older_than: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, metavar="DAYS", help="By default RETENTION_DAYS."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
) -> None:
    """Delete old events that no handler owes anything for. The scheduler does so daily.

    It may be interrupted and repeated: each 10,000 events are a transaction.
    """
    with closing(assemble()) as assembly:
        days = older_than or assembly.settings.retention_days
        age = timedelta(days=days)
        if dry_run:
            with transaction(assembly) as connection:
                count = count_prunable(connection, age)
            console.print(f"{count:,} events are older than {days} days and owed by no handler.")
        else:
            gone = sum_with_progress(prune_steps(assembly, age), "gone")
            console.print(f"{gone:,} events older than {days} days are gone.")


def prune_steps(assembly: Assembly, age: timedelta) -> Iterator[int]:
    """Delete until nothing is left to delete; yields how many events each step deleted."""
    deleted = PRUNED_AT_ONCE
    while deleted == PRUNED_AT_ONCE:
        with session(assembly) as opened:
            deleted = prune_some(opened, age)
        yield deleted
