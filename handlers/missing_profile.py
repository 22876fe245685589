"""What a handler does about an event whose user has no profile, or one without an address (yet)."""

from datetime import datetime, timedelta

from events import Event, UserEvent
from handlers.outcomes import Failed, RetryLater
from models.profiles import User, user_by_id
from models.server import database_time
from services import Services

SIGN_UP_TAKES = timedelta(minutes=1)  # an event may overtake its user's sign-up by this much
LOOK_AGAIN = timedelta(seconds=0.5)  # a sign-up is mostly there within a second


def look_up_user(event: UserEvent, services: Services) -> User:
    """The event's user as the profile is now."""
    return services.transaction(lambda session: user_by_id(session, event.user_id))


def require_profile(user: User, event: UserEvent, services: Services) -> None:
    """Raise what `no_profile` returns, unless the event's user has a profile."""
    if not user.known:
        raise no_profile(event, services.transaction(database_time))


def require_address(user: User, event: UserEvent, services: Services) -> str:
    """The user's email address. Raises RetryLater or Failed where profile or address is missing."""
    require_profile(user, event, services)
    if user.email is None:
        reason = f"The profile {event.user_id} has no email address."
        raise retry_while_young(event, reason, services.transaction(database_time))
    return user.email


def no_profile(event: Event, now: datetime) -> RetryLater | Failed:
    """The outcome of an event whose user has no profile; `now` is the database's time."""
    return retry_while_young(event, f"No profile has the id {event.user_id}.", now)


def retry_while_young(event: Event, reason: str, now: datetime) -> RetryLater | Failed:
    """RetryLater while the event is so young that the sign-up may be on its way, else Failed.

    Both ways the event is tried again, but only a failure spends an attempt. An event whose time
    is far ahead fails too: a clock that is wrong would keep it waiting without end.
    """
    age = abs(now - event.occurred_at)
    return RetryLater(LOOK_AGAIN, reason) if age < SIGN_UP_TAKES else Failed(reason)
