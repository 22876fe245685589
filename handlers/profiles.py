"""Keeps `profiles` in step with what users say of themselves, the newest word winning."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from events import Event, UserDeleted, UserSignedUp, UserUpdated
from handlers.registry import transactional

# A user who is deleted stays deleted, whatever comes late. The row lock orders what is at once.
NEWS = text("""
    INSERT INTO insights.profile_news AS n (user_id, email_at, name_at, deleted_at)
    VALUES (:user, CASE WHEN :has_email THEN CAST(:at AS timestamptz) END,
            CASE WHEN :has_name THEN CAST(:at AS timestamptz) END,
            CASE WHEN :deleted THEN CAST(:at AS timestamptz) END)
    ON CONFLICT (user_id) DO UPDATE SET
        email_at = greatest(n.email_at, excluded.email_at),
        name_at = greatest(n.name_at, excluded.name_at),
        deleted_at = coalesce(n.deleted_at, excluded.deleted_at)
    RETURNING deleted_at IS NOT NULL AS deleted,
              email_at IS NOT DISTINCT FROM CAST(:at AS timestamptz) AND :has_email AS email_is_new,
              name_at IS NOT DISTINCT FROM CAST(:at AS timestamptz) AND :has_name AS name_is_new
""")

CREATE = text("""
    INSERT INTO public.profiles AS p (id, created_at) VALUES (:user, :at)
    ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at
    WHERE :signed_up AND p.created_at > excluded.created_at
""")

UPDATE = text("""
    UPDATE public.profiles SET
        email = CASE WHEN :email_is_new THEN :email ELSE email END,
        name = CASE WHEN :name_is_new THEN :name ELSE name END
    WHERE id = :user
""")

DELETE = text("DELETE FROM public.profiles WHERE id = :user")


@transactional("profiles", UserSignedUp, UserUpdated, UserDeleted)
def keep_profile(event: Event, session: Session) -> None:
    """Create, update or delete the profile of the event's user."""
    email, name = getattr(event, "email", None), getattr(event, "name", None)
    given = {
        "user": event.user_id,
        "at": event.occurred_at,
        "has_email": email is not None,
        "has_name": name is not None,
        "deleted": isinstance(event, UserDeleted),
    }
    news = session.execute(NEWS, given).one()
    if news.deleted:
        session.execute(DELETE, {"user": event.user_id})
        return
    signed_up = isinstance(event, UserSignedUp)
    session.execute(CREATE, given | {"signed_up": signed_up})
    session.execute(
        UPDATE,
        {
            "user": event.user_id,
            "email": email,
            "name": name,
            "email_is_new": news.email_is_new,
            "name_is_new": news.name_is_new,
        },
    )
