"""What one message carries, and the events that it stands for."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from events import Event
from handlers import Handler, Outcome, Reject, RetryLater
from models.deliveries.lease import Lease
from models.deliveries.take import ClaimedDelivery
from models.events import StoredEvent, is_erased_body
from workers.failure_policy import unreadable_fields

NEWER_WORKER_COMES = timedelta(minutes=1)  # how often an older worker looks at a type of newer code
NOT_YET = "This worker is older than the map of events to handlers: it does not follow"


@dataclass(frozen=True)
class Batch:
    """Leased deliveries of one handler; see LeasedBatch for `began_before` and `probe`.

    `sent_at` is when the relay sent the message, in seconds since the epoch.
    """

    leases: Sequence[Lease]
    began_before: bool = False
    probe: bool = False
    sent_at: float | None = None

    @property
    def charged(self) -> int:
        """How many attempts each delivery was charged before its work began: 1 or 0."""
        return int(self.began_before)

    @property
    def is_single(self) -> bool:
        """Whether one event stands alone, so that a failure is certainly its own."""
        return len(self.leases) == 1

    def parts(self, size: int) -> "Iterator[Batch]":
        """The batch in parts of at most `size`: a relay of another version may send more."""
        for start in range(0, len(self.leases), size):
            yield replace(self, leases=self.leases[start : start + size])


def restore(
    handler: Handler, stored: Sequence[ClaimedDelivery] | Sequence[StoredEvent]
) -> tuple[list[Event], dict[UUID, Outcome]]:
    """Turn stored events into objects; those that do not fit their type are rejected.

    A type that only newer code follows waits for a worker of that code. Of erased events nothing
    is left to be done: they are neither returned nor refused, so that their debt ends.
    """
    events: list[Event] = []
    refused: dict[UUID, Outcome] = {}
    of_type: dict[str, list[ClaimedDelivery | StoredEvent]] = defaultdict(list)
    for each in stored:
        if not is_erased_body(each.body):
            of_type[each.type].append(each)
    for type_, same in of_type.items():
        if type_ not in handler.types:
            outcome = RetryLater(NEWER_WORKER_COMES, f"{NOT_YET} {type_}.")
            refused |= dict.fromkeys((each.id for each in same), outcome)
            continue
        try:
            # All of a type in one validation: several times as fast as one by one.
            events += handler.types[type_].restore([each.body for each in same])
        except ValueError:
            for each in same:
                try:
                    events += handler.types[type_].restore([each.body])
                except ValueError as error:
                    reason = f"The stored event cannot be read: {unreadable_fields(error)}."
                    refused[each.id] = Reject(reason)
    return events, refused
