"""Events drawn from a seed: the same seed and start give the same events, ids and all."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from events import Event

SomeEvent = TypeVar("SomeEvent", bound=Event)
# Seconds after the start at which an event is published, and the event.
TimedEvent = tuple[float, Event]


@dataclass(frozen=True)
class RandomEvents:
    """Makes events out of `random`; times `at` are seconds after `start`."""

    random: random.Random
    start: datetime

    def new_id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def event(
        self, class_: type[SomeEvent], at: float, *, late: bool = False, **data: Any
    ) -> tuple[float, SomeEvent]:
        """An event published at `at`; a late one happened on the last day of last month."""
        occurred_at = (
            self.end_of_last_month() if late else self.start + timedelta(seconds=round(at, 6))
        )
        return at, class_(id=self.new_id(), occurred_at=occurred_at, source="chaos", **data)

    def end_of_last_month(self) -> datetime:
        """A random moment of the last day before this month, in UTC."""
        first = self.start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        # 80,000 s are less than a day, so that the moment is never two days back.
        return first - timedelta(seconds=round(self.random.uniform(1, 80_000), 6))

    def times(self, count: int, first: float, last: float) -> Sequence[float]:
        """`count` random moments between two, in order."""
        return sorted(self.random.uniform(first, last) for _ in range(count))

    def chance(self, share: float) -> bool:
        """True in this share of cases, 0 to 1."""
        return self.random.random() < share
