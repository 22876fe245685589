"""What was counted, event by event: the ledger, and the one statement that counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base
from models.usage_marks import ReachedMark


class UsageLedgerRow(Base):
    """One event that was counted: what it used, and in which month (`YYYY-MM` in UTC).

    The primary key is what makes counting an event twice impossible.
    """

    __tablename__ = "usage_ledger"
    __table_args__ = (Index("usage_ledger_of_user", "user_id", "month", "resource"),)

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    resource: Mapped[str]
    amount: Mapped[int]
    month: Mapped[str]


class Use(NamedTuple):
    """What one event used: `amount` of a resource, negative where it gives something back."""

    event_id: UUID
    user_id: UUID
    resource: str
    amount: int
    at: datetime


# Count uses once per event (the ledger's primary key) and pass marks once (that of usage_marks),
# both inside of the functions, in one round trip. docs/design.md goes through their steps.
COUNT = text("""
    SELECT m.user_id, m.resource, m.month, m.mark, m.used, m."limit"
    FROM insights.mark_usage(ARRAY(
        SELECT t::insights.usage_total FROM insights.count_usage(
            CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:resources AS text[]),
            CAST(:amounts AS integer[]), CAST(:times AS timestamptz[])
        ) AS t
    )) AS m
""")


def count(on: Session, uses: Sequence[Use]) -> list[ReachedMark]:
    """Count uses, each event once; return the marks that were passed for the first time.

    Uses of users without a profile are not counted.
    """
    given = {
        "ids": arrays.uuids(use.event_id for use in uses),
        "users": arrays.uuids(use.user_id for use in uses),
        "resources": arrays.plain(use.resource for use in uses),
        "amounts": arrays.plain(use.amount for use in uses),
        "times": arrays.plain(use.at for use in uses),
    }
    return list(map(ReachedMark._make, on.execute(COUNT, given)))
