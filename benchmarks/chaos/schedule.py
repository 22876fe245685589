"""When what breaks: drawn from the seed, each kind once before any comes again."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.chaos.faults import Kind

EVERY = 1.6
FIRST, LAST = 1.0, 1.0


@dataclass(frozen=True)
class Planned:
    """One fault: when it begins after the start, and how long it lasts, both in seconds."""

    at: float
    kind: str
    lasts: float


def schedule(choice: random.Random, kinds: Mapping[str, Kind], seconds: float) -> Iterator[Planned]:
    """Faults that begin between the first and the last second of a run."""
    deck: list[str] = []
    at = FIRST
    while at < seconds - LAST:
        if not deck:
            deck = choice.sample(sorted(kinds), len(kinds))
        kind = kinds[name := deck.pop()]
        yield Planned(at, name, choice.uniform(kind.shortest, kind.longest))
        at += EVERY * choice.uniform(0.5, 1.5)
