"""Deletes old events and adds up old usage, so that the tables stay small."""

from datetime import timedelta

from sqlalchemy.orm import Session

from events import PruneDue, publish
from handlers.outcomes import Reject
from handlers.registry import transactional
from models import prunable_events, usage_ledger
from models.prunable_events import START, Place


@transactional("prune", PruneDue, concurrency=1)
def prune_events(event: PruneDue, session: Session) -> None:
    """Go over some old events and lines of the ledger; another event follows while there are more.

    Raises Reject where `after` is no place.
    """
    age, place = timedelta(days=event.days), place_of(event)
    pruned = prunable_events.prune(session, age, place)
    summed = 0
    if event.statement_months is not None:
        summed = usage_ledger.sum_old_lines(session, event.statement_months, age)
    if pruned.next or summed == usage_ledger.SUMMED_AT_ONCE:
        after = str(pruned.next or place)
        publish(session, event.follow(PruneDue, **event.data | {"after": after}))


def place_of(event: PruneDue) -> Place:
    """Where the event begins. Raises Reject."""
    try:
        return START if event.after is None else Place.parse(event.after)
    except ValueError:
        raise Reject("`after` must be a time and an id, as this handler writes it.") from None
