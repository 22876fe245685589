"""Keeps `profiles` up to date. Events come in any order: of each field the newest value wins."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from events import UserDeleted, UserEvent, UserSignedUp, UserUpdated
from handlers.registry import transactional
from models import profile_news, profiles
from models.erased_events import erase


@transactional("profiles", UserSignedUp, UserUpdated, UserDeleted, batch=100)
def keep_profiles(events: Sequence[UserEvent], session: Session) -> None:
    # In the order of users, so that two batches lock rows in one order and cannot deadlock.
    kept = [keep_profile(event, session) for event in sorted(events, key=by_user)]
    addresses = [address for address in kept if address is not None]
    if addresses:
        # No event of the user need have had the address: a platform's profile may bring it along.
        erase(session, users=(), addresses=addresses)


def by_user(event: UserEvent) -> str:
    return str(event.user_id)


def keep_profile(event: UserEvent, session: Session) -> str | None:
    """Create, update or delete the profile of the event's user; return the address deleted."""
    email, name = getattr(event, "email", None), getattr(event, "name", None)
    newest = profile_news.merge(
        session,
        event.user_id,
        event.id,
        event.occurred_at,
        has_email=email is not None,
        has_name=name is not None,
        is_deletion=isinstance(event, UserDeleted),
    )
    if newest.deleted:
        return profiles.delete(session, event.user_id)
    email = email if newest.email_is_new else None
    name = name if newest.name_is_new else None
    profiles.save(session, event.user_id, email, name, event.occurred_at)
    return None
