"""How commands print: tables for people, JSON for programs, progress on a terminal."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from cli.app import console, problems

PIPE_WIDTH = 250  # characters; a program that reads a table wants each row on one line
NO_HANDLER = "[dim]none[/dim]"


def write_json(value: Any) -> None:
    """Print a value as JSON; times in ISO 8601."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=as_text))


def as_text(value: object) -> str:
    """The text of a value that JSON has no type for; a time in ISO 8601."""
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)


def table_of(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold")
    return table


def show(table: Table) -> None:
    """Print a table, on anything but a terminal without breaking its rows."""
    target = console if console.is_terminal else Console(width=PIPE_WIDTH)
    target.print(table, highlight=False)


def sum_with_progress(steps: Iterable[int], what: str) -> int:
    """The sum of `steps`, shown on a terminal after each of them as `1,234 {what} …`."""
    total = 0
    with problems.status("…") as status:
        for step in steps:
            total += step
            status.update(f"{total:,} {what} …")
    return total


def duration_text(span: timedelta) -> str:
    """A length of time without its sign, in the largest unit of which there are two or more."""
    seconds = abs(span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
