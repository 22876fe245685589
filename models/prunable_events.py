"""Pruning: old events that no handler owes anything for are deleted, chunk after chunk."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

AT_ONCE = 10_000  # events looked at in a transaction: locks are held for a fraction of a second


class Place(NamedTuple):
    """A place in the order of age, in which events are pruned."""

    recorded_at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.recorded_at.isoformat()} {self.id}"

    @classmethod
    def parse(cls, value: str) -> "Place":
        """The place of which `value` is the text. Raises ValueError."""
        recorded_at, id_ = value.split()
        return cls(datetime.fromisoformat(recorded_at), UUID(id_))


START = Place(datetime.min.replace(tzinfo=UTC), UUID(int=0))


class Pruned(NamedTuple):
    """How many events a chunk deleted, and where the next begins; None where nothing is left."""

    deleted: int
    next: Place | None


# Walk the next old events in the order of their index, and delete those that the view allows.
# What is old and stays (owed, or kept) is passed once a run, since the next chunk begins after
# it. Ids are handed on as arrays, which are looked up in the index whatever the statistics say.
PRUNE = text("""
    WITH chunk AS MATERIALIZED (
        SELECT e.recorded_at, e.id FROM insights.events e
        WHERE (e.recorded_at, e.id) > (CAST(:after AS timestamptz), CAST(:after_id AS uuid))
          AND e.recorded_at < now() - CAST(:age AS interval)
        ORDER BY e.recorded_at, e.id LIMIT :at_most
    ), deleted AS (
        DELETE FROM insights.events WHERE id = ANY (ARRAY(
            SELECT p.id FROM insights.prunable_events p
            WHERE p.id = ANY (ARRAY(SELECT c.id FROM chunk c))))
        RETURNING id
    )
    SELECT (SELECT count(*) FROM deleted), (SELECT count(*) FROM chunk), last.recorded_at, last.id
    FROM (SELECT) AS one
    LEFT JOIN (SELECT * FROM chunk ORDER BY recorded_at DESC, id DESC LIMIT 1) AS last ON true
""")

# How many events PRUNE would delete in the end.
COUNT = text("""
    SELECT count(*) FROM insights.prunable_events p
    WHERE p.recorded_at < now() - CAST(:age AS interval)
""")


def prune(on: Session, age: timedelta, after: Place = START) -> Pruned:
    """Delete what may go of the next AT_ONCE events older than `age`; begin after a place."""
    given = {"age": age, "at_most": AT_ONCE, "after": after.recorded_at, "after_id": after.id}
    deleted, seen, recorded_at, id_ = on.execute(PRUNE, given).one()
    return Pruned(deleted, Place(recorded_at, id_) if seen == AT_ONCE else None)


def count_prunable(on: Connection, age: timedelta) -> int:
    """How many events older than `age` nobody owes anything for."""
    return int(on.execute(COUNT, {"age": age}).scalar_one())
