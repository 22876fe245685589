"""Who it is that an event is about, as far as a provider must know."""

from datetime import UTC, datetime, timedelta

from events import Event, UserEvent, UserSignedUp
from handlers.outcomes import Failed, Outcome, RetryLater
from models.profiles import User, user_by_id
from services import Services

SIGN_UP_TAKES = timedelta(minutes=1)
LOOK_AGAIN = timedelta(seconds=0.3)


def recipient_of(event: UserEvent, services: Services) -> str | None:
    """The address of an event's user; None when the user has left. Raises as require_address."""
    found = services.transaction(lambda session: user_by_id(session, event.user_id))
    if found.deleted:
        return None
    if isinstance(event, UserSignedUp) and found.email is None:
        return event.email
    return require_address(found, event)


def require_address(found: User, event: Event) -> str:
    """A user's address. Raises as require_profile where the profile has none (yet)."""
    require_profile(found, event)
    if found.email is None:
        raise missing(f"The profile {event.user_id} has no email address.", event)
    return found.email


def require_profile(found: User, event: Event) -> None:
    """Raises RetryLater while a user's sign-up may be on its way, Failed later."""
    if not found.known:
        raise missing(f"No profile has the id {event.user_id}.", event)


def missing(reason: str, event: Event) -> Outcome:
    """What to answer where something is not there that a sign-up brings."""
    is_young = abs(datetime.now(UTC) - event.occurred_at) < SIGN_UP_TAKES
    return RetryLater(LOOK_AGAIN, reason) if is_young else Failed(reason)
