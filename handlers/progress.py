"""Shows live how far trainings are."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from events import (
    Event,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
)
from handlers.registry import external
from services import Services
from services.progress import Progress

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@external(
    "progress",
    TrainingRequested,
    TrainingStarted,
    TrainingProgressed,
    TrainingCompleted,
    TrainingFailed,
    TrainingCancelled,
    batch=500,
    concurrency=1,
)
def show_progress(events: Sequence[Event], services: Services, _keys: Sequence[str]) -> None:
    """Show each event's news; showing news again changes nothing."""
    services.progress.show([news_of(event) for event in events])


def news_of(event: Event) -> Progress:
    """What a page shows of a training after an event."""
    at = (event.occurred_at - EPOCH) // timedelta(microseconds=1)
    match event:
        case TrainingRequested(training_id=id_):
            return Progress(id_, 0, "Waiting for a worker", "queued", at)
        case TrainingStarted(training_id=id_):
            return Progress(id_, 0, "Started", "running", at)
        case TrainingProgressed(training_id=id_, progress=progress, message=message):
            return Progress(id_, progress, message, "running", at)
        case TrainingCompleted(training_id=id_):
            return Progress(id_, 100, "Done", "completed", at)
        case TrainingFailed(training_id=id_, reason=reason):
            return Progress(id_, 100, reason, "failed", at)
        case TrainingCancelled(training_id=id_):
            return Progress(id_, 100, "Cancelled", "cancelled", at)
        case _:
            raise TypeError(event.type)
