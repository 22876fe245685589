"""How commands print: tables for people, JSON for programs."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.app import console, problems

WIDE = 250
NOBODY = "[dim]nobody[/dim]"
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def write_json(value: Any) -> None:
    """Print a value as JSON; times in ISO 8601."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=as_text))


def as_text(value: object) -> str:
    """A time, an id or the like as JSON knows it."""
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)


def table_of(*columns: str, title: str | None = None) -> Table:
    """An empty table in the look that all commands share."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold")
    return table


def show(table: Table) -> None:
    """Print a table; where nobody watches, no line is broken."""
    target = console if console.is_terminal else Console(width=WIDE)
    target.print(table, highlight=False)


def counted(steps: Iterable[int], what: str) -> int:
    """The sum of steps that take a while; tells on a terminal how far they are."""
    total = 0
    with problems.status("…") as status:
        for step in steps:
            total += step
            status.update(f"{total:,} {what} …")
    return total


def human(span: timedelta) -> str:
    """A length of time, roughly, without its sign."""
    seconds = abs(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
