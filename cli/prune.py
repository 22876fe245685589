"""The command that deletes old events."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Annotated

import typer

from cli.app import app, assemble, console
from cli.database import session, transaction
from cli.output import sum_with_progress
from models import prunable_events, usage_ledger
from models.prunable_events import START, Place
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

    Usage of before STATEMENT_MONTHS is added up too. It may be interrupted and repeated: each
    10,000 events are a transaction.
    """
    with closing(assemble()) as assembly:
        days = older_than or assembly.settings.retention_days
        age = timedelta(days=days)
        if dry_run:
            with transaction(assembly) as connection:
                count = prunable_events.count_prunable(connection, age)
            console.print(f"{count:,} events are older than {days} days and owed by no handler.")
        else:
            gone = sum_with_progress(prune_steps(assembly, age), "gone")
            console.print(f"{gone:,} events older than {days} days are gone.")
            lines = sum_with_progress(sum_steps(assembly, age), "summed")
            console.print(f"{lines:,} old lines of the usage ledger were added up.")


def prune_steps(assembly: Assembly, age: timedelta) -> Iterator[int]:
    """Delete until nothing is left to delete; yields how many events each step deleted."""
    place: Place | None = START
    while place is not None:
        with session(assembly) as opened:
            deleted, place = prunable_events.prune(opened, age, place)
        yield deleted


def sum_steps(assembly: Assembly, age: timedelta) -> Iterator[int]:
    """Add up old lines until none is left; yields how many lines each step added up."""
    summed = usage_ledger.SUMMED_AT_ONCE
    while summed == usage_ledger.SUMMED_AT_ONCE:
        with session(assembly) as opened:
            summed = usage_ledger.sum_old_lines(opened, assembly.settings.statement_months, age)
        yield summed
