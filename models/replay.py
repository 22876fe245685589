"""Replay: dead letters become due again, or a handler is given events of the past."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

AT_ONCE = 10_000


@dataclass(frozen=True)
class Selection:
    """Which deliveries or events; what is None selects nothing out. `until` is excluded."""

    handler: str | None = None
    event: UUID | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Chunk(NamedTuple):
    """What one step gave a handler, and the event to go on after; None when that was all."""

    owed: int
    last: UUID | None


EVENTS = """
    (CAST(:event AS uuid) IS NULL OR e.id = :event)
    AND (CAST(:type AS text) IS NULL OR e.type = :type)
    AND (CAST(:since AS timestamptz) IS NULL OR e.recorded_at >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR e.recorded_at < :until)
"""
DEAD = f"""
    FROM insights.deliveries d JOIN insights.events e ON e.id = d.event_id
    WHERE d.died_at IS NOT NULL AND (CAST(:handler AS text) IS NULL OR d.handler = :handler)
      AND {EVENTS}
"""
HISTORY = f"""
    FROM insights.events e
    WHERE e.type IN (SELECT s.event_type FROM insights.subscriptions s WHERE s.handler = :handler)
      AND {EVENTS}
"""  # noqa: S608 (a constant of ours, as below)

COUNT_DEAD = text(f"SELECT d.handler, count(*) {DEAD} GROUP BY d.handler ORDER BY d.handler")

# Whatever died again since the replay began stays dead, or a hopeless one would never let it end.
REVIVE = text(f"""
    UPDATE insights.deliveries r
    SET died_at = NULL, attempts = 0, setbacks = 0, due_at = now(), leased = false
    FROM (
        SELECT d.ctid AS id {DEAD} AND d.died_at <= :began
        LIMIT :at_once FOR UPDATE OF d SKIP LOCKED
    ) dead
    WHERE r.ctid = dead.id
    RETURNING r.event_id
""")  # noqa: S608

COUNT_HISTORY = text(f"""
    SELECT count(*) {HISTORY} AND NOT EXISTS (
        SELECT FROM insights.deliveries d WHERE d.handler = :handler AND d.event_id = e.id)
""")  # noqa: S608

OWE = text(f"""
    WITH chunk AS MATERIALIZED (
        SELECT e.id {HISTORY} AND (CAST(:after AS uuid) IS NULL OR e.id > :after)
        ORDER BY e.id LIMIT :at_once
    ), owed AS (
        INSERT INTO insights.deliveries (handler, event_id)
        SELECT :handler, c.id FROM chunk c
        ON CONFLICT DO NOTHING
        RETURNING event_id
    )
    SELECT (SELECT count(*) FROM owed), (SELECT c.id FROM chunk c ORDER BY c.id DESC LIMIT 1)
""")  # noqa: S608


def database_time(on: Connection) -> datetime:
    """The database's clock, the only one that decides anything."""
    now: datetime = on.execute(text("SELECT now()")).scalar_one()
    return now


def count_dead(on: Connection, selected: Selection) -> dict[str, int]:
    """How many dead letters there are, per handler."""
    return {row[0]: row[1] for row in on.execute(COUNT_DEAD, asdict(selected))}


def revive(on: Connection, selected: Selection, began: datetime) -> int:
    """Make up to AT_ONCE letters that were dead at `began` due again; return how many."""
    given = {"began": began, "at_once": AT_ONCE}
    return len(on.execute(REVIVE, asdict(selected) | given).all())


def count_history(on: Connection, selected: Selection) -> int:
    """How many events the handler follows, of which it owes nothing at present."""
    return int(on.execute(COUNT_HISTORY, asdict(selected)).scalar_one())


def owe_history(on: Connection, selected: Selection, after: UUID | None) -> Chunk:
    """Have the handler owe the next AT_ONCE events after the id `after`, in the order of ids."""
    given = {"after": after, "at_once": AT_ONCE}
    return Chunk(*on.execute(OWE, asdict(selected) | given).one())
