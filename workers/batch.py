"""Deliveries in hand together, and the events that they stand for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from errors import InsightsError
from events import Event
from handlers import Handler, Reject, RetryLater
from models.deliveries.lease import Lease
from models.deliveries.take import TakenDelivery
from models.events import StoredEvent, is_erased_body
from workers.failure_policy import WorkerDied, unreadable_fields

NEWER_WORKER_COMES = timedelta(minutes=1)  # how often an older worker looks at a type of newer code
NOT_YET = "This worker is older than the map of events to handlers: it does not follow"


@dataclass(frozen=True)
class Batch:
    """Deliveries of one handler in hand, at least one.

    `sent_at` is when the bell was sent for which they were taken, in seconds since the epoch.
    `note` is the row of a claimed batch, or of the one that this is a part of.
    """

    deliveries: Sequence[TakenDelivery]
    sent_at: float | None = None
    note: int | None = None

    @property
    def first(self) -> TakenDelivery:
        """What holds for the whole batch stands in each of its deliveries."""
        return self.deliveries[0]

    @property
    def is_single(self) -> bool:
        """Whether one event stands alone, so that a failure is certainly its own."""
        return len(self.deliveries) == 1

    @property
    def ids(self) -> list[UUID]:
        return [each.id for each in self.deliveries]

    @property
    def leases(self) -> list[Lease]:
        return [each.lease for each in self.deliveries]

    def halves(self) -> "tuple[Batch, Batch]":
        """The batch in two; it must not be single."""
        middle = (len(self.deliveries) + 1) // 2
        return (
            replace(self, deliveries=self.deliveries[:middle]),
            replace(self, deliveries=self.deliveries[middle:]),
        )

    def without(self, some: "set[UUID]") -> "Batch | None":
        """What is left of it; None where that is nothing."""
        left = [each for each in self.deliveries if each.id not in some]
        return replace(self, deliveries=left) if left else None


def spent(handler: Handler, batch: Batch) -> dict[UUID, InsightsError]:
    """The deliveries that have killed their process too often to be tried again."""
    return {
        each.id: WorkerDied(each.last_error or "Its worker process died.")
        for each in batch.deliveries
        if each.attempts >= handler.max_attempts
    }


def restore(
    handler: Handler, stored: Sequence[TakenDelivery] | Sequence[StoredEvent]
) -> tuple[list[Event], dict[UUID, InsightsError]]:
    """Turn stored events into objects; those that do not fit their type are rejected.

    A type that only newer code follows waits for a worker of that code. Of erased events nothing
    is left to be done: they are neither returned nor refused, so that their debt ends.
    """
    events: list[Event] = []
    refused: dict[UUID, InsightsError] = {}
    of_type: dict[str, list[TakenDelivery | StoredEvent]] = defaultdict(list)
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
