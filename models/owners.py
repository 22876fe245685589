"""Whose data sets, trainings and models are, by their ids: the first user who had one."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base


class OwnerRow(Base):
    """The owner of one id, for ever: it outlives the event that named it, and the deletion.

    Written by the trigger `keep_owners` with the event that first names the id.
    """

    __tablename__ = "owners"

    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]


class Kind(StrEnum):
    """What an id is of."""

    DATASET = "dataset"
    TRAINING = "training"
    MODEL = "model"


class Claim(NamedTuple):
    """That a user has the data set, training or model of this id."""

    kind: Kind
    id: str
    user_id: UUID


# Which claims are wrong, because another user had the id first.
REFUTED = text("""
    SELECT c.kind, c.id, c.user_id FROM unnest(
        CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:users AS uuid[])
    ) AS c (kind, id, user_id)
    JOIN insights.owners o ON o.kind = c.kind AND o.id = c.id
    WHERE o.user_id <> c.user_id
""")


def refuted(on: Session, claims: Iterable[Claim]) -> set[Claim]:
    """Those of the claims whose id another user has. An id that nobody has refutes nothing."""
    some = list(claims)
    given = {
        "kinds": arrays.texts(each.kind for each in some),
        "ids": arrays.texts(each.id for each in some),
        "users": arrays.uuids(each.user_id for each in some),
    }
    rows = on.execute(REFUTED, given)
    return {Claim(Kind(kind), id_, user_id) for kind, id_, user_id in rows}


def owner_of(on: Session, kind: Kind, id_: str) -> UUID | None:
    """The user who has an id; None where nobody does."""
    return on.scalar(select(OwnerRow.user_id).where(OwnerRow.kind == kind, OwnerRow.id == id_))
