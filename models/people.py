"""Who a user is at this moment, for those who tell others of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models import arrays

PEOPLE = text("""
    SELECT u.id, p.id IS NOT NULL, n.deleted_at IS NOT NULL, p.email, p.name,
           coalesce(p.plan, 'free'), p.created_at
    FROM unnest(CAST(:users AS uuid[])) AS u (id)
    LEFT JOIN public.profiles p ON p.id = u.id
    LEFT JOIN insights.profile_news n ON n.user_id = u.id
""")


class Person(NamedTuple):
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


def people(on: Session, users: Iterable[UUID]) -> dict[UUID, Person]:
    """Who users are."""
    rows = on.execute(PEOPLE, {"users": arrays.uuids(users)})
    return {row[0]: Person(*row[1:]) for row in rows}


def person(on: Session, user_id: UUID) -> Person:
    """Who a user is."""
    return people(on, [user_id])[user_id]
