"""Records when users were last active, and publishes who has been inactive for long."""

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

USERS_PER_RUN = 1_000  # a transaction of well under a second


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
    """Record each user's newest activity; delete the records of closed accounts."""
    activity.record(session, [(event.user_id, event.occurred_at) for event in events])
    left = {event.user_id for event in events if isinstance(event, UserDeleted)}
    if left:
        activity.forget(session, left)


@transactional("inactivity", InactivityDue, concurrency=1)
def find_inactive(event: InactivityDue, session: Session) -> Outcomes:
    """Publish UserInactive for users without activity; come back in a second while there are more.

    Users whose activity was never recorded count from this look on.
    """
    activity.forget_deleted(session)
    away = activity.mark_absent(
        session, event.occurred_at, timedelta(days=event.days), USERS_PER_RUN
    )
    publish(session, *(inactivity_of(event, each) for each in away))
    if len(away) < USERS_PER_RUN:
        activity.watch(session, event.occurred_at)
        return {}
    return {event.id: RetryLater(timedelta(seconds=1), "There are more inactive users.")}


def inactivity_of(event: InactivityDue, absent: activity.Absent) -> UserInactive:
    """The event of one user's absence. Its id is made of user and last activity: once each."""
    # With the time of the look, not of this worker's clock: by it `contacts` tells who came back.
    given = {"user_id": absent.user_id, "days": event.days, "occurred_at": event.occurred_at}
    inactive = event.follow(UserInactive, **given)
    return inactive.model_copy(update={"id": named_id("inactive", *absent)})
