"""Keeps `profiles` in step with what users say of themselves, the newest word winning."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from events import Event, UserDeleted, UserSignedUp, UserUpdated
from handlers.registry import transactional

# A user who is deleted stays deleted, whatever comes late. The row lock orders what is at once;
# of two words of the same instant the one of the greater event id wins.
NEWS = text("""
    INSERT INTO insights.profile_news AS n
        (user_id, email_at, email_by, name_at, name_by, deleted_at)
    VALUES (:user, :email_at, :email_by, :name_at, :name_by, :deleted_at)
    ON CONFLICT (user_id) DO UPDATE SET
        email_at = greatest(n.email_at, excluded.email_at),
        email_by = CASE WHEN n.email_at = excluded.email_at
                            THEN greatest(n.email_by, excluded.email_by)
                        WHEN n.email_at > excluded.email_at THEN n.email_by
                        ELSE coalesce(excluded.email_by, n.email_by) END,
        name_at = greatest(n.name_at, excluded.name_at),
        name_by = CASE WHEN n.name_at = excluded.name_at THEN greatest(n.name_by, excluded.name_by)
                       WHEN n.name_at > excluded.name_at THEN n.name_by
                       ELSE coalesce(excluded.name_by, n.name_by) END,
        deleted_at = least(n.deleted_at, excluded.deleted_at)
    RETURNING deleted_at IS NOT NULL AS deleted, email_by = :id AS email_is_new,
              name_by = :id AS name_is_new
""")

UPDATE = text("""
    UPDATE public.profiles
    SET email = coalesce(:email, email), name = coalesce(:name, name),
        created_at = least(created_at, :at)
    WHERE id = :user RETURNING true
""")

INSERT = text("""
    INSERT INTO public.profiles (id, email, name, created_at) VALUES (:user, :email, :name, :at)
    ON CONFLICT (id) DO NOTHING RETURNING true
""")

DELETE = text("DELETE FROM public.profiles WHERE id = :user")


@transactional("profiles", UserSignedUp, UserUpdated, UserDeleted, batch=100)
def keep_profiles(events: Sequence[Event], session: Session) -> None:
    """Keep each user's profile; in the order of users, so that two batches cannot deadlock."""
    for event in sorted(events, key=lambda event: str(event.user_id)):
        keep_profile(event, session)


def keep_profile(event: Event, session: Session) -> None:
    """Create, update or delete the profile of the event's user."""
    email, name = getattr(event, "email", None), getattr(event, "name", None)
    given = {"user": event.user_id, "id": event.id, "at": event.occurred_at}
    news = session.execute(
        NEWS,
        given
        | {
            "email_at": event.occurred_at if email is not None else None,
            "email_by": event.id if email is not None else None,
            "name_at": event.occurred_at if name is not None else None,
            "name_by": event.id if name is not None else None,
            "deleted_at": event.occurred_at if isinstance(event, UserDeleted) else None,
        },
    ).one()
    if news.deleted:
        session.execute(DELETE, given)
        return
    given |= {"email": email if news.email_is_new else None}
    given |= {"name": name if news.name_is_new else None}
    # Not one upsert: where a platform wants an address, it would refuse a name alone even for a
    # row that has one. The platform may insert the row in between, hence the second update.
    for statement in (UPDATE, INSERT, UPDATE):
        if session.scalar(statement, given):
            break
