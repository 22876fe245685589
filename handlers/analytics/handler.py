"""Forwards to product analytics what people did, unless they opted out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from uuid import UUID

from sqlalchemy.orm import Session

from events import UserEvent, UserSignedUp, UserUpdated
from handlers.analytics.captures import TRACKED, capture_of
from handlers.ordering import too_early
from handlers.outcomes import Outcomes
from handlers.registry import external
from models.choices import opted_out
from models.profiles import User, users_by_id
from services import Services

NO_NEWS = timedelta(hours=48)
"""What is older is sent as history: dashboards and alerts of today leave it alone."""


@external("analytics", *TRACKED, batch=500)
def forward(events: Sequence[UserEvent], services: Services, _keys: Sequence[str]) -> Outcomes:
    """Send each event under its own id and time: it counts once however often it is sent.

    News of who a person is waits until `profiles` has it, so that the newest is told last.
    """
    posthog = services.posthog
    if posthog is None:
        return {}
    news = [event for event in events if isinstance(event, UserSignedUp | UserUpdated)]
    early = too_early(news, ["profiles"], services) if news else {}
    events = [event for event in events if event.id not in early]
    users = {event.user_id for event in events}
    known, silent = services.transaction(lambda session: look_up(session, users))
    captures = [
        capture_of(event, known.get(event.user_id))
        for event in sorted(events, key=attrgetter("occurred_at"))
        if event.user_id not in silent
    ]
    news_since = datetime.now(UTC) - NO_NEWS
    for historical in (False, True):
        some = [each for each in captures if (each.at < news_since) == historical]
        if some:
            posthog.capture(some, historical=historical)
    return early


def look_up(session: Session, users: set[UUID]) -> tuple[dict[UUID, User], set[UUID]]:
    """Who the users are, and which of them opted out."""
    return users_by_id(session, users), opted_out(session, users)
