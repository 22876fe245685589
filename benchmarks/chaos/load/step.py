"""One transaction of the publisher."""

from collections.abc import Sequence
from dataclasses import dataclass

from events import Event


@dataclass(frozen=True)
class Step:
    """Events that are published together `at` seconds after the start, in Python or in SQL."""

    at: float
    events: Sequence[Event]
    in_sql: bool = False
