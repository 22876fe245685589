"""One contact at Loops, as the profile of its user is."""

import hashlib
from datetime import timedelta
from uuid import UUID

from errors import ProviderRefused
from events import UserEvent
from handlers.emails.recipients import require_profile
from handlers.outcomes import Failed, RetryLater
from models.profiles import User, user_by_id
from services import Services
from services.loops import Loops

LET_OTHERS = timedelta(seconds=2)
NEWSLETTER = ("newsletter", "subscribedAt", "mailingLists")


def follow_profile(event: UserEvent, services: Services, loops: Loops) -> None:
    """Write until what was written is what the profile is."""
    written = None
    while written != (found := look_up(event, services)):
        if found.deleted:
            loops.delete_contact(user_id=event.user_id)
        else:
            require_profile(found, event)
            write(event, found, services, loops)
        written = found


def write(event: UserEvent, found: User, services: Services, loops: Loops) -> None:
    """Write all that Loops knows of a user. Whether they want mail is theirs to say, not ours.

    Raises Failed where Loops refuses, as it does while an address is still another user's.
    """
    if found.email is None:
        return
    fields = {
        "email": found.email,
        "userId": str(event.user_id),
        "firstName": found.first_name,
        "signupDate": found.created_at.isoformat() if found.created_at else None,
        "plan": found.plan,
    }
    try:
        loops.write_contact(**fields)
    except ProviderRefused:
        with services.locks.acquire(f"contact:{digest(found.email)}") as mine:
            if not mine:
                raise RetryLater(LET_OTHERS, "This address is being taken over.") from None
            try:
                take_over(loops, found.email, event.user_id)
                loops.write_contact(**fields)
            except ProviderRefused as refused:
                raise Failed(str(refused)) from refused


def take_over(loops: Loops, email: str, user_id: UUID) -> None:
    """Make one of a user's contact and that of their new address, if it is nobody else's.

    An address may be known from the newsletter before its owner gives it to an account. What it
    was subscribed to goes along, and so does that it was unsubscribed.
    """
    own, known = loops.find_contact(user_id=user_id), loops.find_contact(email=email)
    if own is None or known is None or known.get("userId"):
        return
    kept = {name: known[name] for name in NEWSLETTER if known.get(name) is not None}
    if not known.get("subscribed", True):
        kept["subscribed"] = False
    loops.write_contact(userId=str(user_id), **kept)
    loops.delete_contact(email=email)


def digest(email: str) -> str:
    """An address as Redis may know it."""
    return hashlib.sha256(email.lower().encode()).hexdigest()


def look_up(event: UserEvent, services: Services) -> User:
    """Who the event's user is now."""
    found: User = services.transaction(lambda session: user_by_id(session, event.user_id))
    return found
