"""How the figures are told: a table for people, JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from benchmarks.figures import Figure
from benchmarks.machine import Machine
from benchmarks.sizes import Sizes

MARKS = {True: "[green]yes[/green]", False: "[red]no[/red]", None: ""}


def as_table(machine: Machine, figures: Sequence[Figure]) -> Table:
    """A row per figure, a line between scenarios."""
    table = Table(title="insights bench", caption=str(machine))
    for name in ("scenario", "figure"):
        table.add_column(name)
    table.add_column("value", justify="right")
    for name in ("unit", "target", "ok?"):
        table.add_column(name)
    last = ""
    for figure in figures:
        if last and figure.scenario != last:
            table.add_section()
        shown = "" if figure.scenario == last else figure.scenario
        target = "" if figure.target is None else str(figure.target)
        table.add_row(
            shown, figure.name, rounded(figure.value), figure.unit, target, MARKS[figure.ok]
        )
        last = figure.scenario
    return table


def as_json(machine: Machine, sizes: Sizes, figures: Sequence[Figure]) -> dict[str, Any]:
    """The same, and how much of everything there was."""
    return {
        "machine": asdict(machine),
        "sizes": asdict(sizes),
        "targets_met": all(figure.ok is not False for figure in figures),
        "figures": [asdict(figure) | {"ok": figure.ok} for figure in figures],
    }


def rounded(value: float) -> str:
    """Three digits are as many as repeat."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
