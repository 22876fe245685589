"""Forgets what Redis caches of things that changed, once they have changed."""

from collections.abc import Iterator, Sequence

from events import (
    DatasetDeleted,
    DatasetUploaded,
    Event,
    PlanChanged,
    PredictionMade,
    TrainingStarted,
    UserDeleted,
    UserEvent,
    UserSignedUp,
    UserUpdated,
)
from handlers.ordering import too_early
from handlers.outcomes import Outcomes
from handlers.registry import external
from services import Services

WRITERS = ("profiles", "usage")


@external(
    "cache",
    DatasetUploaded,
    DatasetDeleted,
    TrainingStarted,
    PredictionMade,
    PlanChanged,
    UserSignedUp,
    UserUpdated,
    UserDeleted,
    batch=500,
)
def invalidate(events: Sequence[UserEvent], services: Services, _keys: Sequence[str]) -> Outcomes:
    """Delete `dataset:{id}`, `profile:{user}` and `usage:{user}`: one command for a batch.

    Not before `profiles` and `usage` have written what is cached there, or it would be read from
    the database as it was, and kept.
    """
    early = too_early(events, WRITERS, services)
    services.cache.delete(
        *sorted({key for event in events if event.id not in early for key in stale(event)})
    )
    return early


def stale(event: Event) -> Iterator[str]:
    """The entries that are wrong after an event."""
    match event:
        case DatasetUploaded(dataset_id=dataset) | DatasetDeleted(dataset_id=dataset):
            yield f"dataset:{dataset}"
            yield f"usage:{event.user_id}"
        case TrainingStarted() | PredictionMade():
            yield f"usage:{event.user_id}"
        case PlanChanged() | UserDeleted():
            yield f"profile:{event.user_id}"
            yield f"usage:{event.user_id}"
        case _:
            yield f"profile:{event.user_id}"
