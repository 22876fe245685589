"""When users did something last, and whether it was told that they stay away."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base


class ActivityRow(Base):
    """One user; `is_told` says that their present absence was published."""

    __tablename__ = "activity"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_active_at: Mapped[datetime]
    is_told: Mapped[bool]


class Absent(NamedTuple):
    """A user who stays away, and since when."""

    user_id: UUID
    last_active_at: datetime


SEE = text("""
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
WATCH = text("""
    INSERT INTO insights.activity (user_id, last_active_at)
    SELECT p.id, :at FROM public.profiles p
    WHERE NOT EXISTS (SELECT FROM insights.activity a WHERE a.user_id = p.id)
      AND NOT EXISTS (SELECT FROM insights.profile_news n
                      WHERE n.user_id = p.id AND n.deleted_at IS NOT NULL)
    ON CONFLICT DO NOTHING
""")
IS_BACK = text("SELECT FROM insights.activity WHERE user_id = :user AND last_active_at > :since")
FORGET = text("DELETE FROM insights.activity WHERE user_id = ANY (CAST(:users AS uuid[]))")
ABSENT = text("""
    UPDATE insights.activity a SET is_told = true
    WHERE a.user_id IN (
        SELECT user_id FROM insights.activity
        WHERE NOT is_told AND last_active_at < :at - CAST(:away AS interval)
        ORDER BY user_id LIMIT :at_most FOR UPDATE)
    RETURNING a.user_id, a.last_active_at
""")


def see(on: Session, seen: Sequence[tuple[UUID, datetime]]) -> None:
    """Note when users were active; what is older than known changes nothing."""
    given = {"users": arrays.uuids(user for user, _ in seen)}
    on.execute(SEE, given | {"times": arrays.plain(at for _, at in seen)})


def watch(on: Session, at: datetime) -> None:
    """Begin to watch users who are not known to have ever done anything, as if active at `at`."""
    on.execute(WATCH, {"at": at})


def is_back(on: Session, user_id: UUID, since: datetime) -> bool:
    """Whether a user was active after a moment."""
    return on.execute(IS_BACK, {"user": user_id, "since": since}).first() is not None


def forget(on: Session, users: Iterable[UUID]) -> None:
    """Forget users who have left."""
    on.execute(FORGET, {"users": arrays.uuids(users)})


def absent(on: Session, at: datetime, away: timedelta, at_most: int) -> list[Absent]:
    """Users who at a moment had been away for so long, each told once in this absence."""
    rows = on.execute(ABSENT, {"at": at, "away": away, "at_most": at_most})
    return [Absent(*row) for row in rows]
