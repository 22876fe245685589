"""Whether a handler still owes events, for those that must come after it."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models import arrays

# A dead letter is not waited for: it may never be done.
STILL_OWED = text("""
    SELECT o.id FROM unnest(CAST(:ids AS uuid[])) AS o (id)
    WHERE EXISTS (SELECT FROM insights.deliveries d WHERE d.handler = ANY (:handlers)
                  AND d.event_id = o.id AND d.died_at IS NULL)
""")


def still_owed(on: Session, handlers: Iterable[str], events: Iterable[UUID]) -> set[UUID]:
    """The events that one of the handlers has not done and may still do."""
    given = {"handlers": list(handlers), "ids": arrays.uuids(events)}
    return set(on.scalars(STILL_OWED, given))
