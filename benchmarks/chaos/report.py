"""The result of a run, as tables to read and as JSON for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.chaos.compare import Defect, Finding
from benchmarks.chaos.faults.injector import InjectedFault

FINDINGS_SHOWN = 20  # rows of the table; JSON has all
COUNTS = {
    "published": "events published",
    "handled": "deliveries handled",
    "calls": "calls outside",
    "copies": "messages delivered again",
}


@dataclass(frozen=True)
class Report:
    """Figures of one run; `done_after` is how long after the last fault everything was done.

    Times are in seconds; `done_after` is None where something was still owed after the time-out.
    """

    seed: int
    seconds: float
    published: int
    handled: int
    calls: int
    copies: int
    done_after: float | None
    findings: Sequence[Finding]
    injected: Sequence[InjectedFault]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def count(self, defect: Defect) -> int:
        """How many findings are of this kind."""
        return sum(finding.defect is defect for finding in self.findings)

    def recovery_times(self) -> dict[str, list[float]]:
        """The recovery times of each kind of fault that was injected, by kind."""
        times: dict[str, list[float]] = {each.kind: [] for each in self.injected}
        for each in self.injected:
            if each.recovered is not None:
                times[each.kind].append(each.recovered)
        return dict(sorted(times.items()))

    def times_injected(self, kind: str) -> int:
        return sum(each.kind == kind for each in self.injected)


def as_tables(report: Report) -> Iterator[Table]:
    """Counts, faults, and what is wrong, if anything."""
    yield counts_table(report)
    yield faults_table(report)
    if report.findings:
        yield findings_table(report)


def counts_table(report: Report) -> Table:
    """What happened, and how often something was wrong with it."""
    table = Table(title=f"insights chaos: {report.seconds:g} s, seed {report.seed}")
    table.add_column("effects")
    table.add_column("count", justify="right")
    for field, title in COUNTS.items():
        table.add_row(title, f"{getattr(report, field):,}")
    table.add_section()
    for defect in Defect:
        count = report.count(defect)
        color = "red" if count else "green"
        table.add_row(defect.value, f"[{color}]{count:,}[/{color}]")
    table.add_section()
    table.add_row("all done after", as_seconds(report.done_after))
    return table


def faults_table(report: Report) -> Table:
    """How often each fault was injected, and how soon after its end work was done again."""
    table = Table(title="faults, and the time from their end to the next delivery done")
    table.add_column("fault")
    for name in ("times", "median", "worst"):
        table.add_column(name, justify="right")
    for kind, times in report.recovery_times().items():
        middle, worst = median_of(times), max(times, default=None)
        count = str(report.times_injected(kind))
        table.add_row(kind, count, as_seconds(middle), as_seconds(worst))
    return table


def findings_table(report: Report) -> Table:
    """The first findings."""
    table = Table(title=f"wrong (the first {FINDINGS_SHOWN})")
    for name in ("what", "effect", "about"):
        table.add_column(name, overflow="fold")
    for each in report.findings[:FINDINGS_SHOWN]:
        table.add_row(each.defect, each.effect, each.about)
    return table


def as_json(report: Report) -> dict[str, Any]:
    """All figures, and everything that is wrong."""
    return {
        "seed": report.seed,
        "seconds": report.seconds,
        **{field: getattr(report, field) for field in COUNTS},
        **{defect.value: report.count(defect) for defect in Defect},
        "settled": report.done_after,
        "faults": {
            kind: {
                "times": report.times_injected(kind),
                "median": median_of(times),
                "worst": max(times, default=None),
            }
            for kind, times in report.recovery_times().items()
        },
        "findings": [
            {"wrong": each.defect, "effect": each.effect, "about": each.about}
            for each in report.findings
        ],
        "injected": [asdict(injected) for injected in report.injected],
    }


def median_of(times: Sequence[float]) -> float | None:
    return median(times) if times else None


def as_seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"
