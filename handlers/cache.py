"""Deletes from the Redis cache what an event made stale, once the database has the new value."""

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
from handlers.registry import external
from services import Services


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
    # Deleted before they have written, an entry would be filled with the old value again.
    after=("profiles", "usage"),
)
def invalidate(events: Sequence[UserEvent], services: Services, _keys: Sequence[str]) -> None:
    """Delete `dataset:{id}`, `profile:{user}` and `usage:{user}`: one command for a batch."""
    services.cache.delete(*sorted({key for event in events for key in stale_keys(event)}))


def stale_keys(event: Event) -> Iterator[str]:
    """The keys of the entries that are wrong after an event."""
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
