"""Writes one contact at Loops as the profile of its user is."""

import hashlib
from datetime import timedelta
from uuid import UUID

from errors import ProviderRefused
from events import UserEvent
from handlers.missing_profile import look_up_user, require_profile
from handlers.outcomes import Failed, RetryLater
from models.profiles import User
from services import Services
from services.loops import Loops

TAKE_OVER_LASTS = timedelta(seconds=2)  # some five requests, each behind the throttle
NEWSLETTER_FIELDS = ("newsletter", "subscribedAt", "mailingLists")


def sync_contact(event: UserEvent, services: Services, loops: Loops) -> None:
    """Write or delete the contact, again until the profile did not change during the write.

    Raises RetryLater or Failed where the user has no profile, and what write_profile raises.
    """
    written = None
    while written != (user := look_up_user(event, services)):
        if user.deleted:
            loops.delete_contact(user_id=event.user_id)
        else:
            require_profile(user, event, services)
            write_profile(event.user_id, user, services, loops)
        written = user


def write_profile(user_id: UUID, user: User, services: Services, loops: Loops) -> None:
    """Write all that Loops knows of a user, but for whether they want email: that is their choice.

    Raises RetryLater while another process takes the address over, and Failed where Loops
    refuses, as it does while the address is still another user's.
    """
    if user.email is None:
        return
    fields = {
        "email": user.email,
        "userId": str(user_id),
        "firstName": user.first_name,
        "signupDate": user.created_at.isoformat() if user.created_at else None,
        "plan": user.plan,
    }
    try:
        loops.write_contact(**fields)
    except ProviderRefused:
        # Two take-overs of one address at once could delete what the other has just kept.
        with services.locks.acquire(f"contact:{digest(user.email)}") as locked:
            if not locked:
                raise RetryLater(TAKE_OVER_LASTS, "This address is being taken over.") from None
            try:
                take_over(loops, user.email, user_id)
                loops.write_contact(**fields)
            except ProviderRefused as refused:
                raise Failed(str(refused)) from refused


def take_over(loops: Loops, email: str, user_id: UUID) -> None:
    """Merge the contact of a user's new address into the user's contact, if no user has it.

    An address may be known from the newsletter before its owner gives it to an account. The
    newsletter's fields move along, and so does having unsubscribed.
    """
    of_user, of_address = loops.find_contact(user_id=user_id), loops.find_contact(email=email)
    if of_user is None or of_address is None or of_address.get("userId"):
        return
    kept = {
        name: of_address[name] for name in NEWSLETTER_FIELDS if of_address.get(name) is not None
    }
    if not of_address.get("subscribed", True):
        kept["subscribed"] = False
    # Written before the other is deleted: a crash in between loses no choice of the user.
    loops.write_contact(userId=str(user_id), **kept)
    loops.delete_contact(email=email)


def digest(email: str) -> str:
    """A hash of an address for a key in Redis, where no address may stand."""
    return hashlib.sha256(email.lower().encode()).hexdigest()
