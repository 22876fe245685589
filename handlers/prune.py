"""Forgets old events, so that the table stays as small as operators want it."""

from datetime import timedelta
from typing import cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from events.schedule import PruneDue
from handlers.outcomes import Outcomes, RetryLater
from handlers.registry import transactional

AT_ONCE = 10_000

PRUNE = text("""
    DELETE FROM insights.events WHERE id IN (
        SELECT e.id FROM insights.events e
        WHERE e.recorded_at < now() - :age
          AND e.type NOT IN (SELECT t.type FROM insights.event_types t
                             WHERE t.schema -> 'x-kept' = 'true')
          AND NOT EXISTS (
            SELECT FROM insights.deliveries d
            WHERE d.event_id = e.id AND d.handler IN (SELECT name FROM insights.handlers))
        LIMIT :at_once)
""")


@transactional("prune", PruneDue, concurrency=1)
def prune_events(event: PruneDue, session: Session) -> Outcomes:
    """Delete some of what is old; while there is more, the event comes back in a second."""
    if prune(session, timedelta(days=event.days)) < AT_ONCE:
        return {}
    return {event.id: RetryLater(timedelta(seconds=1), "There is more to prune.")}


def prune(session: Session, age: timedelta) -> int:
    """Delete up to AT_ONCE events older than `age` that nobody owes; return how many."""
    deleted = session.execute(PRUNE, {"age": age, "at_once": AT_ONCE})
    return cast("CursorResult[None]", deleted).rowcount
