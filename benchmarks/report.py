"""The figures of a run, as a table to read and as JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from benchmarks.figures import Figure
from benchmarks.machine import Machine
from benchmarks.sizes import Sizes

TARGET_MARKS = {True: "[green]yes[/green]", False: "[red]no[/red]", None: ""}


@dataclass(frozen=True)
class Report:
    """What was measured, on what, and how much of it."""

    machine: Machine
    sizes: Sizes
    figures: Sequence[Figure]

    @property
    def targets_met(self) -> bool:
        """Whether no figure misses its target."""
        return all(figure.ok is not False for figure in self.figures)


def as_table(report: Report) -> Table:
    """A row per figure, a line between scenarios."""
    table = Table(title="insights bench", caption=str(report.machine))
    for name in ("scenario", "figure"):
        table.add_column(name)
    table.add_column("value", justify="right")
    for name in ("unit", "target", "ok?"):
        table.add_column(name)
    last = ""
    for figure in report.figures:
        if last and figure.scenario != last:
            table.add_section()
        scenario = "" if figure.scenario == last else figure.scenario
        target = "" if figure.target is None else str(figure.target)
        value, mark = rounded(figure.value), TARGET_MARKS[figure.ok]
        table.add_row(scenario, figure.name, value, figure.unit, target, mark)
        last = figure.scenario
    return table


def as_json(report: Report) -> dict[str, Any]:
    """The same, and how much of everything there was."""
    return {
        "machine": asdict(report.machine),
        "sizes": asdict(report.sizes),
        "targets_met": report.targets_met,
        "figures": [asdict(figure) | {"ok": figure.ok} for figure in report.figures],
    }


def rounded(value: float) -> str:
    """Three digits: no more of them are alike in two runs."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
