"""What a handler does about an event whose user has no profile, or one without an address (yet)."""

from datetime import UTC, datetime, timedelta

from events import Event, UserEvent
from handlers.outcomes import Failed, RetryLater
from models.profiles import User, user_by_id
from services import Services

SIGN_UP_TAKES = timedelta(minutes=1)  # an event may overtake its user's sign-up by this much
LOOK_AGAIN = timedelta(seconds=0.5)  # a sign-up is mostly there within a second


def look_up_user(event: UserEvent, services: Services) -> User:
    """The event's user as the profile is now."""
    return services.transaction(lambda session: user_by_id(session, event.user_id))


def require_profile(user: User, event: UserEvent) -> None:
    """Raise what `no_profile` returns, unless the event's user has a profile."""
    if not user.known:
        raise no_profile(event)


def require_address(user: User, event: UserEvent) -> str:
    """The user's email address. Raises RetryLater or Failed where profile or address is missing."""
    require_profile(user, event)
    if user.email is None:
        raise retry_while_young(event, f"The profile {event.user_id} has no email address.")
    return user.email


def no_profile(event: Event) -> RetryLater | Failed:
    """The outcome of an event whose user has no profile."""
    return retry_while_young(event, f"No profile has the id {event.user_id}.")


def retry_while_young(event: Event, reason: str) -> RetryLater | Failed:
    """RetryLater while the event is so young that the sign-up may be on its way, else Failed.

    Both ways the event is tried again, but only a failure spends an attempt. An event whose time
    is far ahead fails too: a clock that is wrong would keep it waiting without end.
    """
    age = abs(datetime.now(UTC) - event.occurred_at)
    return RetryLater(LOOK_AGAIN, reason) if age < SIGN_UP_TAKES else Failed(reason)
