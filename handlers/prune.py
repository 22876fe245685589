"""Deletes old events, so that the table stays as small as operators want it."""

from datetime import timedelta

from sqlalchemy.orm import Session

from events import PruneDue
from handlers.outcomes import Outcomes, RetryLater
from handlers.registry import transactional
from models.events import PRUNED_AT_ONCE, prune


@transactional("prune", PruneDue, concurrency=1)
def prune_events(event: PruneDue, session: Session) -> Outcomes:
    """Delete a first lot of old events; while there are more, the event comes back in a second."""
    if prune(session, timedelta(days=event.days)) < PRUNED_AT_ONCE:
        return {}
    return {event.id: RetryLater(timedelta(seconds=1), "There is more to prune.")}
