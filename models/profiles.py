"""Profiles: who the users are, as far as this product must know."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base


class ProfileRow(Base):
    """A user. On Supabase the platform's own table, to which the plan's columns were added."""

    __tablename__ = "profiles"
    # By the comment a downgrade tells our table from a platform's.
    __table_args__ = {"schema": "public", "comment": "made by insights"}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    name: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    plan: Mapped[str] = mapped_column(server_default="free")
    subscription_id: Mapped[str | None]
    subscription_status: Mapped[str | None]
    stripe_customer_id: Mapped[str | None]


class AddedColumnRow(Base):
    """A column that migration 0002 added to a platform's own `profiles`, to be undone one day."""

    __tablename__ = "added_columns"

    name: Mapped[str] = mapped_column(primary_key=True)


# Change what is there. An account is as old as the oldest event that speaks of it.
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

DELETE = text("DELETE FROM public.profiles WHERE id = :user RETURNING email")

# Users without a profile that may still come: not those who were deleted.
MISSING = text("""
    SELECT u.id FROM unnest(CAST(:users AS uuid[])) AS u (id)
    WHERE NOT EXISTS (SELECT FROM public.profiles p WHERE p.id = u.id)
      AND NOT EXISTS (SELECT FROM insights.profile_news n
                      WHERE n.user_id = u.id AND n.deleted_at IS NOT NULL)
""")

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


def missing(on: Session, users: Iterable[UUID]) -> set[UUID]:
    """The users who have no profile, and were not deleted."""
    return set(on.scalars(MISSING, {"users": arrays.uuids(users)}))


def save(on: Session, user_id: UUID, email: str | None, name: str | None, at: datetime) -> None:
    """Create or change a user's profile; what is None stays as it is."""
    given = {"user": user_id, "email": email, "name": name, "at": at}
    # Not one upsert: where a platform wants an address, it would refuse a name alone even for a
    # row that has one. The platform may insert the row in between, hence the second update.
    for statement in (UPDATE, INSERT, UPDATE):
        if on.scalar(statement, given):
            break


def delete(on: Session, user_id: UUID) -> str | None:
    """Delete a user's profile, and with it their usage; return the address that it had."""
    address: str | None = on.scalar(DELETE, {"user": user_id})
    return address
