"""Which event said the newest of each part of a profile, so that older ones change nothing."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base


class ProfileNewsRow(Base):
    """Per user: when the newest e-mail address and name were given, and by which event.

    `deleted_at` outlives the profile: a user who was deleted stays deleted, whatever comes late.
    """

    __tablename__ = "profile_news"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email_at: Mapped[datetime | None]
    email_by: Mapped[UUID | None]
    name_at: Mapped[datetime | None]
    name_by: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]


class Newest(NamedTuple):
    """What an event changes of its user's profile; nothing of a user who was deleted."""

    deleted: bool
    email_is_new: bool
    name_is_new: bool


# Merge one event into what is known. The row lock orders events that come at once; of two of the
# same instant the one of the greater event id wins, so that any order ends in the same profile.
MERGE = text("""
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

DELETED = text("""
    SELECT n.user_id FROM insights.profile_news n
    WHERE n.user_id = ANY (CAST(:users AS uuid[])) AND n.deleted_at IS NOT NULL
""")


def deleted(on: Session, users: Iterable[UUID]) -> set[UUID]:
    """Those of the users who deleted their account."""
    return set(on.scalars(DELETED, {"users": arrays.uuids(users)}))


def merge(
    on: Session,
    user_id: UUID,
    event_id: UUID,
    at: datetime,
    *,
    has_email: bool,
    has_name: bool,
    is_deletion: bool,
) -> Newest:
    """Note what an event says of its user; return which parts of it are the newest."""
    given = {
        "user": user_id,
        "id": event_id,
        "email_at": at if has_email else None,
        "email_by": event_id if has_email else None,
        "name_at": at if has_name else None,
        "name_by": event_id if has_name else None,
        "deleted_at": at if is_deletion else None,
    }
    deleted, email_is_new, name_is_new = on.execute(MERGE, given).one()
    return Newest(deleted, bool(email_is_new), bool(name_is_new))
