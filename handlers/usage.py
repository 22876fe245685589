"""Counts what users use of their plan, and publishes when a limit comes near."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from events import (
    DatasetDeleted,
    DatasetUploaded,
    Event,
    PredictionMade,
    TrainingStarted,
    UsageLimitExceeded,
    UsageThresholdReached,
    UserEvent,
    named_id,
    publish,
)
from handlers.missing_profile import no_profile
from handlers.outcomes import Outcome, Outcomes
from handlers.registry import transactional
from models import profiles, usage_ledger
from models.server import database_time
from models.usage_ledger import Use
from models.usage_marks import ReachedMark


@transactional("usage", DatasetUploaded, DatasetDeleted, TrainingStarted, PredictionMade, batch=500)
def count_usage(events: Sequence[UserEvent], session: Session) -> Outcomes:
    """Count each event once, in the month it happened in; publish each limit's marks once."""
    # Asked before counting: a profile that comes in between is counted, and its event comes back,
    # to be counted no second time.
    outcomes = dict(events_without_profile(events, session))
    marks = usage_ledger.count(session, [use_of(event) for event in events])
    publish(session, *(limit_event(mark) for mark in marks))
    return outcomes


def use_of(event: UserEvent) -> Use:
    """Which resource an event uses, and how much of it."""
    resource, amount = "trainings", 1
    dataset: str | None = None
    match event:
        case DatasetUploaded(dataset_id=dataset):
            resource = "datasets"
        case DatasetDeleted(dataset_id=dataset):
            resource, amount = "datasets", -1
        case PredictionMade(prediction_count=amount):
            resource = "predictions"
    return Use(event.id, event.user_id, resource, amount, event.occurred_at, dataset)


def limit_event(mark: ReachedMark) -> Event:
    """The event of a limit's mark. Its id is made of the mark: each is published once."""
    fields = {
        "id": named_id("usage", mark.user_id, mark.resource, mark.month, mark.limit, mark.mark),
        "user_id": mark.user_id,
        "resource": mark.resource,
        "month": mark.month,
        "current": mark.used,
        "limit": mark.limit,
    }
    if mark.mark == "exceeded":
        return UsageLimitExceeded.model_validate(fields)
    return UsageThresholdReached.model_validate(fields | {"threshold": int(mark.mark)})


def events_without_profile(
    events: Sequence[UserEvent], session: Session
) -> Iterator[tuple[UUID, Outcome]]:
    """The outcomes of events whose user has no profile (yet)."""
    unknown = profiles.missing(session, {event.user_id for event in events})
    if unknown:
        now = database_time(session)
        for event in events:
            if event.user_id in unknown:
                yield event.id, no_profile(event, now)
