"""`GET /trainings/{training_id}/progress`: how far a training is now."""

import structlog
from fastapi import APIRouter
from pydantic import BaseModel, Field, ValidationError

from errors import ProviderDown
from events import Event
from events.event import Reference
from events.progress import ENDS, STEPS, TrainingProgress, TrainingStatus, progress_after_event
from models.events import StoredEvent, events_of_training
from web.authentication import RequiresKey
from web.dependencies import Dependencies, Injected
from web.problems import Problem

router = APIRouter()
log = structlog.get_logger()
CLASSES: dict[str, type[Event]] = {each.type: each for each in (*STEPS, *ENDS)}


class TrainingState(BaseModel):
    """How far a training is."""

    training_id: str
    progress: float = Field(description="In percent.")
    message: str = Field(description="What it does, for a user to read.")
    status: TrainingStatus
    updated_at: int = Field(description="When this was so, in milliseconds since the epoch.")
    version: int = Field(description="The same in microseconds: a newer state has a greater one.")


@router.get("/trainings/{training_id}/progress", dependencies=[RequiresKey], tags=["trainings"])
def read_progress(training_id: Reference, dependencies: Injected) -> TrainingState:
    """Show how far a training is: from Redis, or from its events where Redis has no state."""
    found = current_progress(dependencies, training_id)
    if found is None:
        raise unknown_training()
    return state_of(found)


def unknown_training() -> Problem:
    return Problem(404, "Nothing is known of a training with this id.")


def state_of(progress: TrainingProgress) -> TrainingState:
    return TrainingState(training_id=progress.training_id, **progress.fields)


def current_progress(dependencies: Dependencies, training_id: str) -> TrainingProgress | None:
    """How far a training is, None when nothing is known of it."""
    try:
        shown = dependencies.board.read(training_id)
    except ProviderDown as outage:
        log.warning("progress_from_events", reason=str(outage))
        shown = None
    # Redis keeps a state for some days and may lose it; the events have it until they are pruned.
    return shown or progress_from_events(dependencies, training_id)


def progress_from_events(dependencies: Dependencies, training_id: str) -> TrainingProgress | None:
    """The state that follows from the events of a training, None without any."""
    types, ends = list(CLASSES), [each.type for each in ENDS]
    with dependencies.sessions() as session:
        rows = events_of_training(session, training_id, types, ends)
    states = [state for row in rows if (state := progress_after(row))]
    return max(states, key=lambda state: state.rank, default=None)


def progress_after(row: StoredEvent) -> TrainingProgress | None:
    """The state after one stored event; None if its data do not fit its type."""
    try:
        (event,) = CLASSES[row.type].restore([row.body])
    except ValidationError:
        return None
    return progress_after_event(event)
