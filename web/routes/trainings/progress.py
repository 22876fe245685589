"""`GET /trainings/{training_id}/progress`: how far a training is, for whoever asks once."""

from typing import Any, Literal

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Row, text

from errors import ProviderDown
from events import Event
from events.event import Reference
from events.progress import ENDS, STEPS, progress_after_event
from models.leases import EVENT
from services.redis.progress import Progress
from web.authentication import RequiresKey
from web.dependencies import Door, Injected
from web.problems import Problem

router = APIRouter()
log = structlog.get_logger()
CLASSES: dict[str, type[Event]] = {each.type: each for each in (*STEPS, *ENDS)}

# The end first, then the newest; a few, since not each row need fit its type.
TOLD = text(f"""
    SELECT {EVENT} FROM insights.events e
    WHERE e.type LIKE 'training.%' AND e.data ->> 'training_id' = :id AND e.type = ANY(:types)
    ORDER BY e.type = ANY(:ends) DESC, e.occurred_at DESC
    LIMIT 20
""")  # noqa: S608 (a constant)


class TrainingState(BaseModel):
    """How far a training is."""

    training_id: str
    progress: float = Field(description="In percent.")
    message: str = Field(description="What it does, for a person to read.")
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    updated_at: int = Field(description="When this was so, in milliseconds since the epoch.")
    version: int = Field(description="The same in microseconds: newer news has a greater one.")


@router.get("/trainings/{training_id}/progress", dependencies=[RequiresKey], tags=["trainings"])
def read_progress(training_id: Reference, door: Injected) -> TrainingState:
    """Tell how far a training is: from Redis, or from its events where Redis knows nothing."""
    found = progress_of(door, training_id)
    if found is None:
        raise unknown_training()
    return state_of(found)


def unknown_training() -> Problem:
    """What is told of a training that no event speaks of."""
    return Problem(404, "Nothing is known of a training with this id.")


def state_of(progress: Progress) -> TrainingState:
    """What a page is told."""
    return TrainingState(training_id=progress.training_id, **progress.fields)


def progress_of(door: Door, training_id: str) -> Progress | None:
    """How far a training is, None when nothing is known of it."""
    try:
        shown = door.board.read(training_id)
    except ProviderDown as outage:
        log.warning("progress_from_events", reason=str(outage))
        shown = None
    return shown or progress_told(door, training_id)


def progress_told(door: Door, training_id: str) -> Progress | None:
    """The state that the events of a training lead to."""
    given = {"id": training_id, "types": list(CLASSES), "ends": [each.type for each in ENDS]}
    with door.sessions() as session:
        rows = session.execute(TOLD, given).all()
    states = [state for row in rows if (state := progress_after(row))]
    return max(states, key=lambda state: state.rank, default=None)


def progress_after(row: Row[Any]) -> Progress | None:
    """The state after one stored event; None if somebody stored what does not fit its type."""
    try:
        (event,) = CLASSES[row.type].restore([row.body])
    except ValidationError:
        return None
    return Progress(*progress_after_event(event))
