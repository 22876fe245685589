"""How trainings ended: the first final state stands, whatever is published later."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base


class TrainingRow(Base):
    """One training of one user; `status` is how it ended, `ended_by` the event that said so first.

    Written by the trigger `keep_owners` in the transaction that publishes the event: of two final
    events at once, the second waits for the first, and changes nothing unless that rolls back.
    """

    __tablename__ = "trainings"

    training_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str | None]
    ended_by: Mapped[UUID | None]


class FinalEvent(NamedTuple):
    """An event that ends a training, by its id."""

    id: UUID
    training_id: str
    user_id: UUID


# How a training ended.
STATUS = text("""
    SELECT t.status FROM insights.trainings t
    WHERE t.training_id = :training_id AND t.user_id = :user_id
""")

# The same, kept so until the transaction ends: a final event of others waits for its commit.
LOCKED_STATUS = text(STATUS.text + " FOR NO KEY UPDATE")

# Final events of trainings that another event had ended before.
TOO_LATE = text("""
    SELECT e.id FROM unnest(
        CAST(:ids AS uuid[]), CAST(:trainings AS text[]), CAST(:users AS uuid[])
    ) AS e (id, training_id, user_id)
    JOIN insights.trainings t ON t.training_id = e.training_id AND t.user_id = e.user_id
    WHERE t.ended_by <> e.id
""")


def final_status(on: Session, training_id: str, user_id: UUID, *, lock: bool) -> str | None:
    """How a user's training ended, None while it did not.

    With `lock`, nothing can end it before this transaction does.
    """
    statement = LOCKED_STATUS if lock else STATUS
    status: str | None = on.scalar(statement, {"training_id": training_id, "user_id": user_id})
    return status


def too_late(on: Session, events: Iterable[FinalEvent]) -> set[UUID]:
    """The ids of those final events that change nothing, because another one came first."""
    some = list(events)
    given = {
        "ids": arrays.uuids(each.id for each in some),
        "trainings": arrays.texts(each.training_id for each in some),
        "users": arrays.uuids(each.user_id for each in some),
    }
    return set(on.scalars(TOO_LATE, given))
