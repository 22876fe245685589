"""When users were active last, and whether their present absence was published."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base


class ActivityRow(Base):
    """One user; `is_told` says that their present absence was published."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("activity_untold", "last_active_at", postgresql_where=text("NOT is_told")),
        # Rows are updated all day: free space in each page keeps updates in place.
        {"postgresql_with": {"fillfactor": 70}},
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_active_at: Mapped[datetime]
    is_told: Mapped[bool] = mapped_column(server_default="false")


class Absent(NamedTuple):
    """A user who stays away, and since when."""

    user_id: UUID
    last_active_at: datetime


# Note activity; what is older than known changes nothing. Who deleted their account is left alone,
# since a late event would bring a row of them back.
RECORD = text("""
    INSERT INTO insights.activity AS a (user_id, last_active_at)
    SELECT n.user_id, max(n.at) FROM unnest(CAST(:users AS uuid[]), CAST(:times AS timestamptz[]))
        AS n (user_id, at)
    WHERE NOT EXISTS (SELECT FROM insights.profile_news p
                      WHERE p.user_id = n.user_id AND p.deleted_at IS NOT NULL)
    GROUP BY n.user_id ORDER BY n.user_id
    ON CONFLICT (user_id) DO UPDATE
        SET last_active_at = excluded.last_active_at, is_told = false
        WHERE excluded.last_active_at > a.last_active_at
""")

# Begin with users who were here before events were: nobody knows when they were active last.
WATCH = text("""
    INSERT INTO insights.activity (user_id, last_active_at)
    SELECT p.id, :at FROM public.profiles p
    WHERE NOT EXISTS (SELECT FROM insights.activity a WHERE a.user_id = p.id)
      AND NOT EXISTS (SELECT FROM insights.profile_news n
                      WHERE n.user_id = p.id AND n.deleted_at IS NOT NULL)
    ON CONFLICT DO NOTHING
""")

# Forget users who deleted their account.
FORGET = text("DELETE FROM insights.activity WHERE user_id = ANY (CAST(:users AS uuid[]))")

# Forget those of whom a late event, handled while they were being deleted, brought a row back.
FORGET_DELETED = text("""
    DELETE FROM insights.activity a USING insights.profile_news n
    WHERE n.user_id = a.user_id AND n.deleted_at IS NOT NULL
""")

# Find users who have been away for so long, and mark each, so that it is published once in this
# absence. Ordered locks: two that look at once wait instead of deadlocking.
MARK_ABSENT = text("""
    UPDATE insights.activity a SET is_told = true
    WHERE a.user_id IN (
        SELECT user_id FROM insights.activity
        WHERE NOT is_told AND last_active_at < :at - CAST(:away AS interval)
        ORDER BY user_id LIMIT :at_most FOR UPDATE)
    RETURNING a.user_id, a.last_active_at
""")


def record(on: Session, activity: Sequence[tuple[UUID, datetime]]) -> None:
    """Note when users were active; what is older than known changes nothing."""
    given = {"users": arrays.uuids(user for user, _ in activity)}
    on.execute(RECORD, given | {"times": arrays.plain(at for _, at in activity)})


def watch(on: Session, at: datetime) -> None:
    """Treat users who are not known to have ever done anything as active at `at`."""
    on.execute(WATCH, {"at": at})


def was_active_after(on: Session, user_id: UUID, since: datetime) -> bool:
    """Whether a user was active after a moment."""
    asked = select(ActivityRow.user_id).where(
        ActivityRow.user_id == user_id, ActivityRow.last_active_at > since
    )
    return on.execute(asked).first() is not None


def forget(on: Session, users: Iterable[UUID]) -> None:
    """Forget users who have left."""
    on.execute(FORGET, {"users": arrays.uuids(users)})


def forget_deleted(on: Session) -> None:
    """Forget every user who deleted their account."""
    on.execute(FORGET_DELETED)


def mark_absent(on: Session, at: datetime, away: timedelta, at_most: int) -> list[Absent]:
    """Find users who at a moment had been away for so long; each is returned once per absence."""
    rows = on.execute(MARK_ABSENT, {"at": at, "away": away, "at_most": at_most})
    return [Absent(*row) for row in rows]
