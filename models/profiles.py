"""Who the users are, as far as this product must know."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base


class ProfileRow(Base):
    """A user. On Supabase the platform's own table, to which the plan's columns were added."""

    __tablename__ = "profiles"
    __table_args__ = {"schema": "public"}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    name: Mapped[str | None]
    created_at: Mapped[datetime | None]
    plan: Mapped[str] = mapped_column(server_default="free")
    subscription_id: Mapped[str | None]
    subscription_status: Mapped[str | None]
    stripe_customer_id: Mapped[str | None]


class ProfileNewsRow(Base):
    """When the newest news of each part of a profile happened, and which event told it."""

    __tablename__ = "profile_news"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email_at: Mapped[datetime | None]
    email_by: Mapped[UUID | None]
    name_at: Mapped[datetime | None]
    name_by: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]


# Users as they are now: their profile, and whether they were deleted, which outlives it.
USERS = text("""
    SELECT u.id, p.id IS NOT NULL, n.deleted_at IS NOT NULL, p.email, p.name,
           coalesce(p.plan, 'free'), p.created_at
    FROM unnest(CAST(:users AS uuid[])) AS u (id)
    LEFT JOIN public.profiles p ON p.id = u.id
    LEFT JOIN insights.profile_news n ON n.user_id = u.id
""")


class User(NamedTuple):
    """A user as their profile says; `known` is false before it is there and after it is gone."""

    known: bool
    deleted: bool
    email: str | None
    name: str | None
    plan: str
    created_at: datetime | None

    @property
    def first_name(self) -> str | None:
        """The first word of the name."""
        return self.name.split()[0] if self.name and self.name.split() else None


def users_by_id(on: Session, users: Iterable[UUID]) -> dict[UUID, User]:
    """Look up users; the result has every id, also unknown ones."""
    rows = on.execute(USERS, {"users": arrays.uuids(users)})
    return {row[0]: User(*row[1:]) for row in rows}


def user_by_id(on: Session, user_id: UUID) -> User:
    """Look up one user."""
    return users_by_id(on, [user_id])[user_id]
