"""Counts what users used of their plan, and says so when a limit comes near."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from events import (
    DatasetDeleted,
    DatasetUploaded,
    Event,
    PredictionMade,
    TrainingStarted,
    UsageLimitExceeded,
    UsageThresholdReached,
    named_id,
    publish,
)
from handlers.outcomes import Failed, Outcome, Outcomes, RetryLater
from handlers.registry import transactional
from models import arrays

SIGN_UP_TAKES = timedelta(minutes=1)
LOOK_AGAIN = timedelta(seconds=0.5)

COUNT = text("""
    SELECT m.* FROM insights.mark_usage(ARRAY(
        SELECT t::insights.usage_total FROM insights.count_usage(
            CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:resources AS text[]),
            CAST(:amounts AS integer[]), CAST(:times AS timestamptz[])
        ) AS t
    )) AS m
""")

UNKNOWN = text("""
    SELECT u.id FROM unnest(CAST(:users AS uuid[])) AS u (id)
    WHERE NOT EXISTS (SELECT FROM public.profiles p WHERE p.id = u.id)
      AND NOT EXISTS (SELECT FROM insights.profile_news n
                      WHERE n.user_id = u.id AND n.deleted_at IS NOT NULL)
""")


@transactional("usage", DatasetUploaded, DatasetDeleted, TrainingStarted, PredictionMade, batch=500)
def count_usage(events: Sequence[Event], session: Session) -> Outcomes:
    """Count each event once, in the month it happened in; publish each limit's marks once."""
    # Asked before counting: a profile that comes in between is counted, and its event comes back.
    outcomes = dict(unknown_users(events, session))
    used = [used_by(event) for event in events]
    marks = session.execute(
        COUNT,
        {
            "ids": arrays.uuids(event.id for event in events),
            "users": arrays.uuids(event.user_id for event in events),
            "resources": arrays.plain(resource for resource, _ in used),
            "amounts": arrays.plain(amount for _, amount in used),
            "times": arrays.plain(event.occurred_at for event in events),
        },
    )
    publish(session, *(limit_event(mark) for mark in marks))
    return outcomes


def used_by(event: Event) -> tuple[str, int]:
    """Which resource an event uses, and how much of it."""
    match event:
        case DatasetUploaded():
            return "datasets", 1
        case DatasetDeleted():
            return "datasets", -1
        case PredictionMade(prediction_count=count):
            return "predictions", count
        case _:
            return "trainings", 1


def limit_event(mark: Any) -> Event:
    """The event that says that a limit's mark was passed."""
    fields = {
        "id": named_id("usage", mark.user_id, mark.resource, mark.month, mark.mark),
        "user_id": mark.user_id,
        "resource": mark.resource,
        "month": mark.month,
        "current": mark.used,
        "limit": mark.limit,
    }
    if mark.mark == "exceeded":
        return UsageLimitExceeded.model_validate(fields)
    return UsageThresholdReached.model_validate(fields | {"threshold": int(mark.mark)})


def unknown_users(events: Sequence[Event], session: Session) -> Iterator[tuple[UUID, Outcome]]:
    """The events of users without a profile: it may be on its way, so they are tried again."""
    users = {event.user_id for event in events}
    unknown = set(session.scalars(UNKNOWN, {"users": arrays.uuids(users)}))
    now = datetime.now(UTC)
    for event in events:
        if event.user_id in unknown:
            reason = f"No profile has the id {event.user_id}."
            is_young = abs(now - event.occurred_at) < SIGN_UP_TAKES
            yield event.id, RetryLater(LOOK_AGAIN, reason) if is_young else Failed(reason)
