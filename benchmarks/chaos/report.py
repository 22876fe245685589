"""The result of a run, as tables to read and as JSON for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.chaos.compare import Defect, Finding
from benchmarks.chaos.faults.injector import InjectedFault
from benchmarks.chaos.throughput import LEAST, Throughput

FINDINGS_SHOWN = 20  # rows of the table; JSON has all
COUNTS = {
    "published": "events published",
    "handled": "deliveries handled",
    "calls": "calls outside",
    "copies": "bells rung again or made up",
    "lost_bells": "bells lost",
}


@dataclass(frozen=True)
class Report:
    """Figures of one run; `done_after` is how long after the last fault everything was done.

    Times are in seconds; `done_after` is None where something was still owed after the time-out.
    `rate` is the steady load in events a second, None where no throughput was measured.
    """

    seed: int
    seconds: float
    published: int
    handled: int
    calls: int
    copies: int
    lost_bells: int
    done_after: float | None
    findings: Sequence[Finding]
    injected: Sequence[InjectedFault]
    rate: float | None = None
    throughputs: Sequence[Throughput] = ()

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong, and no fault stopped what it does not concern."""
        return not self.findings and not any(each.is_too_low for each in self.throughputs)

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
    if report.throughputs:
        yield throughput_table(report)
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


def throughput_table(report: Report) -> Table:
    """What other handlers did during each fault, and which of them fared worst."""
    load = "no load" if report.rate is None else f"{report.rate:.0f} events/s"
    table = Table(title=f"deliveries/s that a fault does not concern, at {load}")
    table.add_column("fault")
    for name in ("published", "before", "during", "worst ratio"):
        table.add_column(name, justify="right")
    table.add_column("of", overflow="fold")
    for each in sorted(report.throughputs, key=lambda each: each.fault):
        if each.ratio is None:
            table.add_row(each.fault, "–", "–", "–", "–", each.unknown)
            continue
        color = "red" if each.is_too_low else "green"
        ratio = f"[{color}]{each.ratio:.2f}[/{color}]"
        figures = (f"{figure:g}" for figure in (each.published, each.before, each.during))
        table.add_row(each.fault, *figures, ratio, each.handler)
    table.caption = f"at least {LEAST:g}"
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
        "rate": report.rate,
        "throughput": [asdict(each) for each in report.throughputs],
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
