"""Writes to Redis how far each training is, for pages that show it live."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from events.progress import ENDS, STEPS, progress_after_event
from events.trainings import TrainingEvent
from handlers.final_states import too_late
from handlers.registry import external
from models import profile_news
from models.owners import Claim, Kind, refuted
from services import Services


@external("progress", *STEPS, *ENDS, batch=500, concurrency=1)
def show_progress(
    events: Sequence[TrainingEvent], services: Services, _keys: Sequence[str]
) -> None:
    """Write the state after each event. Older states and repetitions change nothing."""
    shown = services.transaction(lambda session: standing(events, session))
    services.progress.show([progress_after_event(event) for event in shown])


def standing(events: Sequence[TrainingEvent], session: Session) -> list[TrainingEvent]:
    """The events that change a state: not of another user's training, nor after its first end.

    Of users who deleted their account nothing is shown any more.
    """
    deleted = profile_news.deleted(session, {event.user_id for event in events})
    late = too_late(events, session)
    claims = {event.id: training_of(event) for event in events if event.id not in late}
    others = refuted(session, set(claims.values()))
    return [
        each
        for each in events
        if each.id in claims and claims[each.id] not in others and each.user_id not in deleted
    ]


def training_of(event: TrainingEvent) -> Claim:
    return Claim(Kind.TRAINING, event.training_id, event.user_id)
