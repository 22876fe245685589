"""What was counted, event by event: the ledger, and the one statement that counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import arrays
from models.base import Base
from models.usage_marks import ReachedMark

SUMMED_AT_ONCE = 10_000  # lines in a transaction: locks are held for a fraction of a second


class UsageLedgerRow(Base):
    """A line: one event that was counted, what it used, and in which month (`YYYY-MM` in UTC).

    The primary key is what makes counting an event twice impossible. Lines that are old become
    sums, one per user, month and resource. Data sets count by their ids (models.usage_datasets);
    `unnamed` is the part of an amount that has none, and counts as it is.
    """

    __tablename__ = "usage_ledger"
    __table_args__ = (
        Index("usage_ledger_of_user", "user_id", "month", "resource"),
        Index("usage_ledger_lines", "month", postgresql_where=text("NOT is_sum")),
        Index(
            "usage_ledger_sums",
            "user_id",
            "month",
            "resource",
            unique=True,
            postgresql_where=text("is_sum"),
        ),
    )

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    resource: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    month: Mapped[str]
    unnamed: Mapped[int] = mapped_column(BigInteger, server_default="0")
    is_sum: Mapped[bool] = mapped_column(server_default="false")


class Use(NamedTuple):
    """What one event used: `amount` of a resource, negative where it gives something back.

    `dataset_id` says which data set was uploaded or deleted. Where it is None, that of the stored
    event counts; without one, the amount is added as it is.
    """

    event_id: UUID
    user_id: UUID
    resource: str
    amount: int
    at: datetime
    dataset_id: str | None = None


# Count uses once per event (the ledger's primary key) and pass marks once (that of usage_marks),
# both inside of the functions, in one round trip. docs/design.md goes through their steps.
COUNT = text("""
    SELECT m.user_id, m.resource, m.month, m.mark, m.used, m."limit"
    FROM insights.mark_usage(ARRAY(
        SELECT t::insights.usage_total FROM insights.count_usage(
            CAST(:ids AS uuid[]), CAST(:users AS uuid[]), CAST(:resources AS text[]),
            CAST(:amounts AS bigint[]), CAST(:times AS timestamptz[]),
            CAST(:dataset_ids AS text[])
        ) AS t
    ), true) AS m
""")

# Add old lines up to sums, some at a time. A line stays while its event is stored: it is what
# keeps a repetition of that event from counting again. The order is that of an index, and OFFSET 0
# has each event looked up by its id, so that no table is read whole to find few lines.
SUM_OLD_LINES = text("""
    WITH old AS (
        DELETE FROM insights.usage_ledger WHERE event_id = ANY (ARRAY(
            SELECT l.event_id FROM insights.usage_ledger l
            WHERE NOT l.is_sum
              AND l.month < to_char(now() AT TIME ZONE 'UTC' - greatest(
                  make_interval(months => :months), CAST(:age AS interval)), 'YYYY-MM')
              AND NOT EXISTS (SELECT FROM insights.events e WHERE e.id = l.event_id OFFSET 0)
            ORDER BY l.month LIMIT :at_most))
        RETURNING user_id, month, resource, amount, unnamed
    ), added AS (
        INSERT INTO insights.usage_ledger AS s
            (event_id, user_id, month, resource, amount, unnamed, is_sum)
        SELECT insights.uuid7(), o.user_id, o.month, o.resource, sum(o.amount), sum(o.unnamed), true
        FROM old o GROUP BY o.user_id, o.month, o.resource ORDER BY o.user_id, o.month, o.resource
        ON CONFLICT (user_id, month, resource) WHERE is_sum DO UPDATE
            SET amount = s.amount + excluded.amount, unnamed = s.unnamed + excluded.unnamed
    )
    SELECT count(*) FROM old
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
        "dataset_ids": arrays.texts(use.dataset_id for use in uses),
    }
    return list(map(ReachedMark._make, on.execute(COUNT, given)))


def sum_old_lines(on: Session, months: int, age: timedelta) -> int:
    """Add up to SUMMED_AT_ONCE lines to the sums of their months; return how many there were.

    Lines of the last `months` months stay as they are, and so do those of events that may be
    stored still, since they are younger than `age`.
    """
    given = {"months": months, "age": age, "at_most": SUMMED_AT_ONCE}
    return int(on.execute(SUM_OLD_LINES, given).scalar_one())
