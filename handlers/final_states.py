"""Of the final events of a training the first stands: what follows from later ones is nothing."""

from collections.abc import Iterable
from typing import TypeGuard
from uuid import UUID

from sqlalchemy.orm import Session

from events import Event
from events.progress import ENDS
from events.trainings import TrainingEvent
from models import trainings
from models.trainings import FinalEvent


def too_late(events: Iterable[Event], session: Session) -> set[UUID]:
    """The ids of those events that end a training which had ended before."""
    ends = [
        FinalEvent(event.id, event.training_id, event.user_id)
        for event in events
        if is_final(event)
    ]
    return trainings.too_late(session, ends) if ends else set()


def is_final(event: Event) -> TypeGuard[TrainingEvent]:
    return isinstance(event, ENDS)
