"""Who it is that an event is about, as far as a provider must know."""

from datetime import UTC, datetime, timedelta

from events import Event, UserEvent, UserSignedUp
from handlers.outcomes import Failed, Reject, RetryLater
from models.people import Person, person
from services import Services

SIGN_UP_TAKES = timedelta(minutes=1)
LOOK_AGAIN = timedelta(seconds=0.3)


def recipient_of(event: UserEvent, services: Services) -> str | None:
    """The address of an event's user; None when the user has left.

    Raises RetryLater while a sign-up may be on its way, Failed when there is none.
    """
    found = services.transaction(lambda session: person(session, event.user_id))
    if found.deleted:
        return None
    address = event.email if isinstance(event, UserSignedUp) else None
    if found.email or address:
        return found.email or address
    require_profile(found, event)
    raise Reject("The profile has no email address.")


def require_profile(found: Person, event: Event) -> None:
    """Raises RetryLater or Failed where a user has no profile (yet)."""
    if not found.known:
        reason = f"No profile has the id {event.user_id}."
        is_young = abs(datetime.now(UTC) - event.occurred_at) < SIGN_UP_TAKES
        raise RetryLater(LOOK_AGAIN, reason) if is_young else Failed(reason)
