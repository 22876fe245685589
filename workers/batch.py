"""What one message carries, and the events that it stands for."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from events import Event
from handlers import Handler, Outcome, Reject, RetryLater
from models.leases import Owed
from workers.failure_policy import unreadable

UNTIL_THEN = timedelta(minutes=1)
NOT_YET = "This worker is older than the map of events to handlers: it does not follow"


@dataclass(frozen=True)
class Batch:
    """What one message carries; see Leased for `again` and `probe`.

    `sent_at` is when the relay sent it, in seconds since the epoch.
    """

    owed: Sequence[Owed]
    again: bool = False
    probe: bool = False
    sent_at: float | None = None

    def parts(self, size: int) -> "Iterator[Batch]":
        """The batch in parts of at most `size`: a relay of another version may send more."""
        for start in range(0, len(self.owed), size):
            yield replace(self, owed=self.owed[start : start + size])


def restore(handler: Handler, rows: Sequence[Row[Any]]) -> tuple[list[Event], dict[UUID, Outcome]]:
    """The events of rows; those that do not fit their type are rejected, not handled.

    A type that only newer code follows waits for a worker of that code.
    """
    events: list[Event] = []
    broken: dict[UUID, Outcome] = {}
    of_type: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        of_type[row.type].append(row)
    for type_, same in of_type.items():
        if type_ not in handler.types:
            broken |= {row.id: RetryLater(UNTIL_THEN, f"{NOT_YET} {type_}.") for row in same}
            continue
        try:
            events += handler.types[type_].restore([row.body for row in same])
        except ValueError as error:
            if len(same) > 1:
                for row in same:
                    one, none = restore(handler, [row])
                    events += one
                    broken |= none
            else:
                reason = f"The stored event cannot be read: {unreadable(error)}."
                broken[same[0].id] = Reject(reason)
    return events, broken
