"""What an event says of how far its training is: pure, for whoever shows it."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from events.event import Event
from events.trainings import (
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEPS = (TrainingRequested, TrainingStarted, TrainingProgressed)
ENDS = (TrainingCompleted, TrainingFailed, TrainingCancelled)


class News(NamedTuple):
    """How far a training is: `progress` in percent, `at` in microseconds since the epoch.

    `status` is one of queued, running, completed, failed, cancelled; the last three are final.
    """

    training_id: str
    progress: float
    message: str
    status: str
    at: int


def progress_after_event(event: Event) -> News:
    """What a page shows of a training after an event of STEPS or ENDS; else TypeError."""
    at = (event.occurred_at - EPOCH) // timedelta(microseconds=1)
    match event:
        case TrainingRequested(training_id=id_):
            return News(id_, 0, "Waiting for a worker", "queued", at)
        case TrainingStarted(training_id=id_):
            return News(id_, 0, "Started", "running", at)
        case TrainingProgressed(training_id=id_, progress=progress, message=message):
            return News(id_, progress, message, "running", at)
        case TrainingCompleted(training_id=id_):
            return News(id_, 100, "Done", "completed", at)
        case TrainingFailed(training_id=id_, reason=reason):
            return News(id_, 100, reason, "failed", at)
        case TrainingCancelled(training_id=id_):
            return News(id_, 100, "Cancelled", "cancelled", at)
        case _:
            raise TypeError(event.type)
