"""Who opted out of product analytics: the events themselves tell, from their commit on."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models import arrays

OPTED_OUT = text("""
    SELECT u.id FROM unnest(CAST(:users AS uuid[])) AS u (id)
    CROSS JOIN LATERAL (
        SELECT e.data FROM insights.events e
        WHERE e.type = 'user.analytics_choice_made' AND e.user_id = u.id
        ORDER BY least(e.occurred_at, e.recorded_at) DESC, e.recorded_at DESC, e.id DESC LIMIT 1
    ) latest
    WHERE latest.data ->> 'opted_out' = 'true'
""")


def opted_out(on: Session, users: Iterable[UUID]) -> set[UUID]:
    """Those of the users whose latest word was no."""
    return set(on.scalars(OPTED_OUT, {"users": arrays.uuids(users)}))
