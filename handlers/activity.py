"""Remembers when users did something last, and says who has been away for long."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from events import (
    DatasetUploaded,
    InactivityDue,
    PredictionMade,
    PredictionRequested,
    TrainingRequested,
    UserDeleted,
    UserEvent,
    UserInactive,
    UserLoggedIn,
    UserSignedUp,
    named_id,
    publish,
)
from handlers.outcomes import Outcomes, RetryLater
from handlers.registry import transactional
from models import activity

AT_ONCE = 1_000


@transactional(
    "activity",
    UserSignedUp,
    UserLoggedIn,
    DatasetUploaded,
    TrainingRequested,
    PredictionRequested,
    PredictionMade,
    UserDeleted,
    batch=500,
)
def note_activity(events: Sequence[UserEvent], session: Session) -> None:
    """Note each user's newest deed; who has left is forgotten."""
    activity.see(session, [(event.user_id, event.occurred_at) for event in events])
    left = {event.user_id for event in events if isinstance(event, UserDeleted)}
    if left:
        activity.forget(session, left)


@transactional("inactivity", InactivityDue, concurrency=1)
def find_inactive(event: InactivityDue, session: Session) -> Outcomes:
    """Publish who has been away for so long; while there are more, come back in a second.

    Who was here before events were is watched from the first look on.
    """
    away = activity.absent(session, event.occurred_at, timedelta(days=event.days), AT_ONCE)
    publish(session, *(absence(event, each) for each in away))
    if len(away) < AT_ONCE:
        activity.watch(session, event.occurred_at)
        return {}
    return {event.id: RetryLater(timedelta(seconds=1), "There are more who stay away.")}


def absence(event: InactivityDue, absent: activity.Absent) -> UserInactive:
    """What is published of one user; its id is that of the absence, whoever finds it."""
    said = event.follow(UserInactive, user_id=absent.user_id, days=event.days)
    return said.model_copy(update={"id": named_id("inactive", *absent)})
