"""Erases what is personal in the events of users who deleted their account."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from events import Event, UserDeleted, UserErased, publish
from events.contract.schema import has_personal_fields
from handlers.registry import transactional
from models import erased_events, profile_news


@transactional("erasure", UserDeleted, also=has_personal_fields, batch=100)
def erase(events: Sequence[Event], session: Session) -> None:
    """Erase all events of deleted users, those too that come after the deletion.

    What was committed by the deletion, the deletion erases; what comes later has a delivery of its
    own, which erases it.
    """
    deleted = deleted_users(events, session)
    if deleted:
        erased_events.erase(session, deleted)
    publish(session, *(event.follow(UserErased) for event in events if type(event) is UserDeleted))


def deleted_users(events: Sequence[Event], session: Session) -> set[UUID]:
    """The users of the events who deleted their account; one of the events may say so itself.

    The row lock is what makes the erasure whole: an event that comes while its user is being
    deleted is handled either before the deletion looks for events, or after its commit.
    """
    found: set[UUID] = set()
    # In the order of users, so that two batches lock rows in one order and cannot deadlock.
    for event in sorted(events, key=lambda event: str(event.user_id)):
        if event.user_id is None:
            continue
        newest = profile_news.merge(
            session,
            event.user_id,
            event.id,
            event.occurred_at,
            has_email=False,
            has_name=False,
            is_deletion=isinstance(event, UserDeleted),
        )
        if newest.deleted:
            found.add(event.user_id)
    return found
