"""How a run is told: tables for people, JSON for programs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table

from benchmarks.chaos.books import Wrong
from benchmarks.chaos.outcome import Outcome, typical

SHOWN = 20


def as_tables(outcome: Outcome) -> Iterator[Table]:
    """The books, then the faults, then what is wrong."""
    yield books(outcome)
    yield faults(outcome)
    if outcome.findings:
        yield findings(outcome)


def books(outcome: Outcome) -> Table:
    """What happened, and how often something was wrong with it."""
    table = Table(title=f"insights chaos: {outcome.seconds:g} s, seed {outcome.seed}")
    table.add_column("books")
    table.add_column("count", justify="right")
    for name in ("published", "handled", "calls", "copies"):
        table.add_row(NAMES[name], f"{getattr(outcome, name):,}")
    table.add_section()
    for wrong in Wrong:
        count = outcome.count(wrong)
        color = "red" if count else "green"
        table.add_row(wrong.value, f"[{color}]{count:,}[/{color}]")
    table.add_section()
    table.add_row("settled after", seconds(outcome.settled))
    return table


NAMES = {
    "published": "events published",
    "handled": "deliveries handled",
    "calls": "calls outside",
    "copies": "messages delivered again",
}


def faults(outcome: Outcome) -> Table:
    """How often each kind was injected, and how soon after its end something was done again."""
    table = Table(title="faults, and the time from their end to the next delivery done")
    table.add_column("fault")
    for name in ("times", "median", "worst"):
        table.add_column(name, justify="right")
    for kind, times in outcome.recoveries().items():
        worst = max(times, default=None)
        table.add_row(kind, str(outcome.times(kind)), seconds(typical(times)), seconds(worst))
    return table


def findings(outcome: Outcome) -> Table:
    """The first things that are wrong."""
    table = Table(title=f"wrong (the first {SHOWN})")
    for name in ("what", "effect", "about"):
        table.add_column(name, overflow="fold")
    for each in outcome.findings[:SHOWN]:
        table.add_row(each.wrong, each.effect, each.about)
    return table


def seconds(value: float | None) -> str:
    """A time for people."""
    return "–" if value is None else f"{value:.2f} s"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """All figures, and everything that is wrong."""
    return {
        "seed": outcome.seed,
        "seconds": outcome.seconds,
        "published": outcome.published,
        "handled": outcome.handled,
        "calls": outcome.calls,
        "copies": outcome.copies,
        **{wrong.value: outcome.count(wrong) for wrong in Wrong},
        "settled": outcome.settled,
        "faults": {
            kind: {
                "times": outcome.times(kind),
                "median": typical(times),
                "worst": max(times, default=None),
            }
            for kind, times in outcome.recoveries().items()
        },
        "findings": [asdict(finding) for finding in outcome.findings],
        "injected": [asdict(injected) for injected in outcome.injected],
    }
