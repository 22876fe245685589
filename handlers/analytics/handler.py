"""Forwards to product analytics what users did, unless they opted out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from uuid import UUID

from sqlalchemy.orm import Session

from events import UserEvent
from handlers.analytics.captures import TRACKED, capture_of
from handlers.final_states import too_late
from handlers.outcomes import require_client
from handlers.registry import external
from models.events import opted_out
from models.profiles import User, users_by_id
from models.providers import is_on
from models.server import database_time
from services import Services

HISTORICAL_AFTER = timedelta(hours=48)
"""What is older is sent as history, which PostHog keeps out of today's dashboards and alerts."""


# What is set last of a person must be the newest, so what changes a person waits for `profiles`.
@external("analytics", *TRACKED, batch=500, after=("profiles",), provider="posthog")
def forward(events: Sequence[UserEvent], services: Services, _keys: Sequence[str]) -> None:
    """Send each event under its own id and time, so that PostHog counts it once.

    Events of users who opted out are dropped, and so is what ends a training that had ended before.
    Where the persons of deleted users are deleted, their events are too: one more would bring the
    person back.
    """
    posthog = require_client(services.posthog, "PostHog")
    users, dropped, now = services.transaction(lambda session: look_up(session, events))
    captures = [
        capture_of(event, users.get(event.user_id))
        for event in sorted(events, key=attrgetter("occurred_at"))
        if event.id not in dropped
    ]
    historical_before = now - HISTORICAL_AFTER
    for historical in (False, True):
        some = [each for each in captures if (each.at < historical_before) == historical]
        if some:
            posthog.capture(some, historical=historical)


def look_up(
    session: Session, events: Sequence[UserEvent]
) -> tuple[dict[UUID, User], set[UUID], datetime]:
    """Who the users are, the ids of the events that are not to be sent, and the database's time."""
    ids = {event.user_id for event in events}
    users, silent = users_by_id(session, ids), opted_out(session, ids)
    if is_on(session, "posthog_persons"):
        silent |= {id_ for id_, user in users.items() if user.deleted}
    dropped = {event.id for event in events if event.user_id in silent}
    return users, dropped | too_late(events, session), database_time(session)
