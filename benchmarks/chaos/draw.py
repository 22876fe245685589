"""Draws events from a seed: the same seed and start give the same events, ids and all."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from events import Event

Drawn = TypeVar("Drawn", bound=Event)
Timed = tuple[float, Event]


@dataclass(frozen=True)
class Draw:
    """`start` is when the run begins; times `at` are seconds after it."""

    choice: random.Random
    start: datetime

    def id(self) -> UUID:
        """A new id."""
        return UUID(int=self.choice.getrandbits(128), version=4)

    def event(
        self, class_: type[Drawn], at: float, *, late: bool = False, **data: Any
    ) -> tuple[float, Drawn]:
        """An event that happens at `at`; a late one happened at the end of last month."""
        moment = self.last_month() if late else self.start + timedelta(seconds=round(at, 6))
        return at, class_(id=self.id(), occurred_at=moment, source="chaos", **data)

    def last_month(self) -> datetime:
        """A moment of the last day before this month, in UTC."""
        first = self.start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return first - timedelta(seconds=round(self.choice.uniform(1, 80_000), 6))

    def times(self, count: int, first: float, last: float) -> Sequence[float]:
        """So many moments between two, in order."""
        return sorted(self.choice.uniform(first, last) for _ in range(count))

    def chance(self, share: float) -> bool:
        """Whether something happens that does so in this share of cases."""
        return self.choice.random() < share
