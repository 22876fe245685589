"""How far a training is: the state that follows from each of its events."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

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

FinalStatus: TypeAlias = Literal["completed", "failed", "cancelled"]
TrainingStatus: TypeAlias = Literal["queued", "running", FinalStatus]
FINAL_STATUSES: tuple[FinalStatus, ...] = get_args(FinalStatus)
STATUSES: tuple[TrainingStatus, ...] = get_args(TrainingStatus)

PROGRESS_PREFIX = "training:"


def progress_key(training_id: str) -> str:
    """The name of the Redis hash that holds a training's state, and of its pub/sub channel."""
    return PROGRESS_PREFIX + training_id


class TrainingProgress(NamedTuple):
    """How far a training is: `progress` in percent, `at` in microseconds since the epoch."""

    training_id: str
    progress: float
    message: str
    status: TrainingStatus
    at: int

    @property
    def is_final(self) -> bool:
        """Whether the training has come to its end."""
        return self.status in FINAL_STATUSES

    @property
    def rank(self) -> tuple[bool, int, float, bool, str, str]:
        """Of two states the one of the greater rank stands; progress.lua compares alike."""
        has_begun = self.status != "queued"
        return self.is_final, self.at, self.progress, has_begun, self.message, self.status

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the hash and of the channel's JSON; `updated_at` is in milliseconds."""
        return {
            "progress": self.progress,
            "message": self.message,
            "status": self.status,
            "updated_at": self.at // 1000,
            "version": self.at,
        }


def progress_after_event(event: Event) -> TrainingProgress:
    """The state of a training after an event of STEPS or ENDS. Raises TypeError for others."""
    at = (event.occurred_at - EPOCH) // timedelta(microseconds=1)
    match event:
        case TrainingRequested(training_id=id_):
            return TrainingProgress(id_, 0, "Waiting for a worker", "queued", at)
        case TrainingStarted(training_id=id_):
            return TrainingProgress(id_, 0, "Started", "running", at)
        case TrainingProgressed(training_id=id_, progress=progress, message=message):
            return TrainingProgress(id_, progress, message, "running", at)
        case TrainingCompleted(training_id=id_):
            return TrainingProgress(id_, 100, "Done", "completed", at)
        case TrainingFailed(training_id=id_, reason=reason):
            return TrainingProgress(id_, 100, reason, "failed", at)
        case TrainingCancelled(training_id=id_):
            return TrainingProgress(id_, 100, "Cancelled", "cancelled", at)
        case _:
            raise TypeError(event.type)
