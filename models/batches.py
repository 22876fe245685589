"""What workers have in hand, and what they did in the last 14 days: a row per batch.

While a batch is open, nobody else is given its events. It ends with its outcome in the transaction
of its work; what a dead process left open is ended for it, and its events go on in smaller company.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Index, Interval, SmallInteger, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.orm import Mapped, mapped_column

from models import arrays
from models.base import Base
from models.deliveries.lease import Executor
from models.processes import DEAD_AFTER

DAYS_AHEAD, DAYS_KEPT = 3, 14  # partitions of days, made in advance and dropped when old


class BatchRow(Base):
    """Deliveries of one handler that one process took together.

    `until`: the longest run of the handler; after it others may begin. `lease` is null for work in
    an open transaction. `outcome` and `error` are null while it is in hand; `ms` is how long it
    took. Partitioned by `ended_on`, the day of `ended_at` in UTC; what is in hand has none, and is
    in the partition `batches_in_hand`.
    """

    __tablename__ = "batches"
    __table_args__ = (
        Index("batches_of_id", "id"),
        {"postgresql_partition_by": "LIST (ended_on)"},
    )

    # The database needs no primary key, which would have to hold `ended_on`; SQLAlchemy wants one.
    # By default the next of insights.batch_id.
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    process: Mapped[UUID]
    since: Mapped[datetime] = mapped_column(server_default=text("now()"))
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_on: Mapped[date | None]
    lease: Mapped[timedelta | None] = mapped_column(Interval)
    handler: Mapped[int] = mapped_column(SmallInteger)
    events: Mapped[int]
    ms: Mapped[float | None] = mapped_column(REAL)
    ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    outcome: Mapped[str | None]
    error: Mapped[str | None]


class EndedBatch(NamedTuple):
    """A batch that was ended for its process."""

    handler_id: int
    ids: list[UUID]
    error: str

    @property
    def was_alone(self) -> bool:
        """Whether one event stood alone, so that it is certainly to blame."""
        return len(self.ids) == 1


# Note what was taken, before the handler begins. Asynchronous: what a crash of the server loses
# was rolled back by it, too. Claims are noted in their own transaction.
OPEN = text("""
    INSERT INTO insights.batches_in_hand (process, handler, events, ids, lease, until)
    SELECT :process, :handler, cardinality(o.ids), o.ids, CAST(:lease AS interval),
           now() + CAST(:longest AS interval)
    FROM (SELECT CAST(:ids AS uuid[])) AS o (ids),
         (SELECT set_config('synchronous_commit', 'off', true)) AS quick
    RETURNING id
""")

# End a batch with what became of it, unless it was ended already. Not at now(): its transaction
# began before the batch did. A crash may have PostgreSQL give an id of an asynchronous note to
# another process, too.
CLOSE = text("""
    UPDATE insights.batches
    SET ended_at = clock_timestamp(), ended_on = CAST(clock_timestamp() AT TIME ZONE 'UTC' AS date),
        outcome = :outcome, ms = :ms, error = :error
    WHERE id = :id AND process = :process AND ended_on IS NULL
      AND (CAST(:first AS uuid) IS NULL OR :first = ANY (ids))
    RETURNING handler, ids
""")

# Whether a batch is still in hand; if so, nobody else ends it before this transaction does.
IS_IN_HAND = text("""
    SELECT true FROM insights.batches_in_hand
    WHERE id = :id AND process = :process AND :first = ANY (ids) FOR NO KEY UPDATE
""")

# End what a process has in hand.
CLOSE_ALL = text("""
    UPDATE insights.batches
    SET ended_at = now(), ended_on = CAST(now() AT TIME ZONE 'UTC' AS date), outcome = 'given back'
    WHERE process = :process AND ended_on IS NULL
    RETURNING handler, ids, ''
""")

# End what is noted under a process that does not know of it. Not what is so young that the process
# may be about to.
CLOSE_UNKNOWN = text("""
    UPDATE insights.batches
    SET ended_at = now(), ended_on = CAST(now() AT TIME ZONE 'UTC' AS date), outcome = 'given back'
    WHERE process = :process AND ended_on IS NULL AND since < now() - :after
      AND id <> ALL (CAST(:known AS bigint[]))
    RETURNING handler, ids, ''
""")

# End what processes without a sign of life have in hand, and what runs for longer than its handler
# ever should. A batch younger than that is left alone: its process may just have been thawed.
END_DEAD = text("""
    UPDATE insights.batches b
    SET ended_at = now(), ended_on = CAST(now() AT TIME ZONE 'UTC' AS date),
        outcome = CASE WHEN b.until <= now() THEN 'overdue' ELSE 'died' END,
        error = CASE WHEN b.until <= now()
            THEN 'It ran for longer than its handler''s longest run.'
            ELSE format('Its worker process (%s) died or stopped: no sign of life for %s s.',
                        coalesce(d.name, 'unknown'),
                        extract(epoch FROM CAST(:after AS interval))::int)
            END
    FROM (
        SELECT b.id, p.name
        FROM insights.batches_in_hand b LEFT JOIN insights.processes p ON p.id = b.process
        WHERE (b.until <= now() OR b.since <= now() - :after
              AND coalesce(p.seen_at <= now() - :after, true))
        LIMIT 100 FOR UPDATE OF b SKIP LOCKED
    ) d
    WHERE b.id = d.id AND b.ended_on IS NULL
    RETURNING b.handler, b.ids, b.error
""")

KEEP = text("SELECT insights.keep_batches(:ahead, :kept)")


def open_batch(
    on: Executor,
    process: UUID,
    handler_id: int,
    ids: Iterable[UUID],
    *,
    lease: timedelta | None,
    longest: timedelta,
) -> int:
    """Note what a process has in hand; return the batch's id."""
    given = {"process": process, "handler": handler_id, "lease": lease, "longest": longest}
    return int(on.execute(OPEN, given | {"ids": arrays.uuids(ids)}).scalar_one())


def close(
    on: Executor,
    process: UUID,
    id_: int,
    outcome: str,
    ms: float | None = None,
    error: str | None = None,
    *,
    first: UUID | None = None,
) -> EndedBatch | None:
    """End a batch of a process; None where it was ended before. `first`: see `is_in_hand`."""
    given = {"id": id_, "process": process, "outcome": outcome, "ms": ms, "error": error}
    row = on.execute(CLOSE, given | {"first": first}).first()
    return None if row is None else EndedBatch(row.handler, row.ids, error or "")


def is_in_hand(on: Executor, process: UUID, id_: int, first: UUID) -> bool:
    """Whether a process still has a batch in hand, of which `first` is an event.

    The event is asked for since a crash may have given the number to another batch of the process.
    """
    given = {"id": id_, "process": process, "first": first}
    return on.execute(IS_IN_HAND, given).one_or_none() is not None


def close_all(on: Executor, process: UUID) -> list[EndedBatch]:
    """End what a process has in hand; return it."""
    return list(map(EndedBatch._make, on.execute(CLOSE_ALL, {"process": process})))


def close_unknown(on: Executor, process: UUID, known: Iterable[int]) -> list[EndedBatch]:
    """End what is noted under a process for longer than 15 s, but for the batches `known`."""
    given = {"process": process, "known": arrays.plain(known), "after": DEAD_AFTER}
    return list(map(EndedBatch._make, on.execute(CLOSE_UNKNOWN, given)))


def end_dead(on: Executor) -> list[EndedBatch]:
    """End what dead processes left open; return it, for deliveries.failures.give_back."""
    return list(map(EndedBatch._make, on.execute(END_DEAD, {"after": DEAD_AFTER})))


def keep(on: Executor) -> None:
    """Make the partitions of the next days, and drop those of days long past."""
    on.execute(KEEP, {"ahead": DAYS_AHEAD, "kept": DAYS_KEPT})
