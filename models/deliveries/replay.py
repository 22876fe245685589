"""Replay: dead letters become due again, or a handler is given events of the past."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

CHUNK = 10_000  # rows in a transaction: locks are held for a fraction of a second


@dataclass(frozen=True)
class Selection:
    """Which deliveries or events; what is None selects nothing out. `until` is excluded."""

    handler: str | None = None
    event: UUID | None = None
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Step(NamedTuple):
    """What one step of a replay owed anew, and the event to go on after; None at the end."""

    owed: int
    last: UUID | None


# How many dead letters a replay would make due again.
COUNT_DEAD = text("""
    SELECT d.handler, count(*)
    FROM insights.delivery_states d JOIN insights.events e ON e.id = d.event_id
    WHERE d.died_at IS NOT NULL AND (CAST(:handler AS text) IS NULL OR d.handler = :handler)
      AND (CAST(:event AS uuid) IS NULL OR e.id = :event)
      AND (CAST(:type AS text) IS NULL OR e.type = :type)
      AND (CAST(:since AS timestamptz) IS NULL OR e.recorded_at >= :since)
      AND (CAST(:until AS timestamptz) IS NULL OR e.recorded_at < :until)
    GROUP BY d.handler ORDER BY d.handler
""")

# Make dead letters due again. What died again since the replay began stays dead: else one that
# always dies would never let the replay end.
REVIVE = text("""
    UPDATE insights.deliveries r
    SET died_at = NULL, attempts = 0, setbacks = 0, due_at = now(), leased = false
    FROM (
        SELECT d.ctid AS id
        FROM insights.deliveries d JOIN insights.handlers h ON h.id = d.handler
        JOIN insights.events e ON e.id = d.event_id
        WHERE d.died_at IS NOT NULL AND (CAST(:handler AS text) IS NULL OR h.name = :handler)
          AND (CAST(:event AS uuid) IS NULL OR e.id = :event)
          AND (CAST(:type AS text) IS NULL OR e.type = :type)
          AND (CAST(:since AS timestamptz) IS NULL OR e.recorded_at >= :since)
          AND (CAST(:until AS timestamptz) IS NULL OR e.recorded_at < :until)
          AND d.died_at <= :began
        LIMIT :chunk FOR UPDATE OF d SKIP LOCKED
    ) dead
    WHERE r.ctid = dead.id
    RETURNING r.event_id
""")

# How many events of the past a handler would be given.
COUNT_HISTORY = text("""
    SELECT count(*) FROM insights.events e
    WHERE e.type IN (SELECT s.event_type FROM insights.subscriptions s WHERE s.handler = :handler)
      AND (CAST(:event AS uuid) IS NULL OR e.id = :event)
      AND (CAST(:type AS text) IS NULL OR e.type = :type)
      AND (CAST(:since AS timestamptz) IS NULL OR e.recorded_at >= :since)
      AND (CAST(:until AS timestamptz) IS NULL OR e.recorded_at < :until)
      AND NOT EXISTS (
        SELECT FROM insights.deliveries d
        WHERE d.handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
          AND d.event_id = e.id)
""")

# Owe a handler the next events after `after`, in the order of their ids, so that an interrupted
# replay can go on. It waits for those before it that still owe the event: their rows are locked, so
# that none can be done between this look and the commit.
OWE = text("""
    WITH chunk AS MATERIALIZED (
        SELECT e.id FROM insights.events e
        WHERE e.type IN (SELECT s.event_type FROM insights.subscriptions s
                         WHERE s.handler = :handler)
          AND (CAST(:event AS uuid) IS NULL OR e.id = :event)
          AND (CAST(:type AS text) IS NULL OR e.type = :type)
          AND (CAST(:since AS timestamptz) IS NULL OR e.recorded_at >= :since)
          AND (CAST(:until AS timestamptz) IS NULL OR e.recorded_at < :until)
          AND (CAST(:after AS uuid) IS NULL OR e.id > :after)
        ORDER BY e.id LIMIT :chunk
    ), before AS MATERIALIZED (
        SELECT DISTINCT n.id FROM insights.subscriptions s
        JOIN insights.handlers_on n ON n.name = ANY (s.after) WHERE s.handler = :handler
    ), awaited AS MATERIALIZED (
        SELECT c.id, d.handler FROM chunk c CROSS JOIN before b CROSS JOIN LATERAL (
            SELECT d.handler FROM insights.deliveries d
            WHERE d.handler = b.id AND d.event_id = c.id AND d.died_at IS NULL
            LIMIT 1 FOR KEY SHARE
        ) d
    ), owed AS (
        INSERT INTO insights.deliveries (handler, event_id, waits_for)
        SELECT h.id, c.id, a.waits_for
        FROM chunk c JOIN insights.handlers h ON h.name = :handler
        LEFT JOIN (SELECT a.id, array_agg(a.handler) AS waits_for FROM awaited a GROUP BY a.id) a
          ON a.id = c.id
        ON CONFLICT DO NOTHING
        RETURNING event_id
    )
    SELECT (SELECT count(*) FROM owed), (SELECT c.id FROM chunk c ORDER BY c.id DESC LIMIT 1)
""")


def count_dead(on: Connection, selected: Selection) -> dict[str, int]:
    """How many dead letters there are, per handler."""
    return {row[0]: row[1] for row in on.execute(COUNT_DEAD, asdict(selected))}


def revive(on: Connection, selected: Selection, began: datetime) -> int:
    """Make up to CHUNK letters that were dead at `began` due again; return how many."""
    given = {"began": began, "chunk": CHUNK}
    return len(on.execute(REVIVE, asdict(selected) | given).all())


def count_history(on: Connection, selected: Selection) -> int:
    """How many events the handler follows, of which it owes nothing at present."""
    return int(on.execute(COUNT_HISTORY, asdict(selected)).scalar_one())


def owe_history(on: Connection, selected: Selection, after: UUID | None) -> Step:
    """Have the handler owe the next CHUNK events after the id `after`, in the order of ids."""
    given = {"after": after, "chunk": CHUNK}
    return Step(*on.execute(OWE, asdict(selected) | given).one())
