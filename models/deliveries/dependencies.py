"""Deliveries that wait for another handler (`after=`): they become due when it is done or gone.

The fan-out writes whom a delivery waits for. Whoever empties the list makes it due, under a new
number: what has just become due is news for the relay.
"""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from models import arrays
from models.deliveries.lease import Executor

SWEPT_AT_ONCE = 10_000  # rows in a transaction: locks are held for a fraction of a second


class Swept(NamedTuple):
    """How many deliveries wait for less than before, and where the next step begins."""

    released: int
    last: int | None


# One handler is done with these events. What waits for it alone is nobody else's to change, so it
# is written at once; what waits for others, too, is left to the two statements below.
RELEASE_SOLE = text("""
    WITH me AS MATERIALIZED (
        SELECT h.id FROM insights.handlers h WHERE h.name = :handler
    ), mine AS MATERIALIZED (
        SELECT d.tid, d.waits_for = ARRAY[(SELECT m.id FROM me m)] AS sole
        FROM (SELECT DISTINCT n.id AS handler
              FROM insights.subscriptions s JOIN insights.handlers n ON n.name = s.handler
              WHERE :handler = ANY (s.after)) w
        CROSS JOIN unnest(CAST(:ids AS uuid[])) AS o (id)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid, d.waits_for FROM insights.deliveries d
            WHERE d.handler = w.handler AND d.event_id = o.id
              AND coalesce(cardinality(d.waits_for), 0) > 0
            LIMIT 1
        ) d
    ), released AS (
        UPDATE insights.deliveries d SET waits_for = NULL, seq = nextval('insights.delivery_seq')
        WHERE d.ctid = ANY (ARRAY(SELECT m.tid FROM mine m WHERE m.sole))
          AND d.waits_for = ARRAY[(SELECT m.id FROM me m)]
        RETURNING d.event_id
    )
    SELECT (SELECT count(*) FROM released), (SELECT count(*) FROM mine)
""")

# Lock what waits for a handler, by one order everywhere: two handlers that are done with the same
# events at the same time wait for each other once, and never in a circle. `coalesce` hides from the
# planner that the index of what waits would do: each row is to be found by its key.
LOCK_WAITING = text("""
    WITH wanted AS MATERIALIZED (
        SELECT w.handler, o.id
        FROM (SELECT DISTINCT n.id AS handler
              FROM insights.subscriptions s JOIN insights.handlers n ON n.name = s.handler
              WHERE :handler = ANY (s.after)) w
        CROSS JOIN unnest(CAST(:ids AS uuid[])) AS o (id)
        ORDER BY w.handler, o.id
    )
    SELECT d.handler, d.event_id FROM wanted w CROSS JOIN LATERAL (
        SELECT d.handler, d.event_id FROM insights.deliveries d
        WHERE d.handler = w.handler AND d.event_id = w.id
          AND coalesce(cardinality(d.waits_for), 0) > 0
        LIMIT 1 FOR UPDATE
    ) d
""")

# A statement of its own: it sees what others committed while LOCK_WAITING waited for them.
RELEASE = text("""
    WITH me AS MATERIALIZED (
        SELECT h.id FROM insights.handlers h WHERE h.name = :handler
    ), mine AS MATERIALIZED (
        SELECT d.tid
        FROM unnest(CAST(:waiting AS smallint[]), CAST(:ids AS uuid[])) AS o (handler, id)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = o.handler AND d.event_id = o.id
              AND coalesce(d.waits_for, '{}') @> ARRAY[(SELECT m.id FROM me m)]
            LIMIT 1
        ) d
    )
    UPDATE insights.deliveries d
    SET waits_for = nullif(array_remove(d.waits_for, (SELECT m.id FROM me m)), '{}'),
        seq = nextval('insights.delivery_seq')
    WHERE d.ctid = ANY (ARRAY(SELECT m.tid FROM mine m))
    RETURNING d.waits_for IS NULL
""")

# Go over what waits, and end waiting for handlers that are off, retired, or owe nothing: an event
# may be published while its handler is being switched off. Who is retired may still owe, with no
# worker left that has it. Only what is let go is locked: a lock is a write of its row.
SWEEP = text("""
    WITH part AS MATERIALIZED (
        SELECT d.ctid AS tid, d.seq, d.event_id, d.waits_for FROM insights.deliveries d
        WHERE d.waits_for IS NOT NULL AND d.seq > :after
        ORDER BY d.seq LIMIT :most
    ), checked AS MATERIALIZED (
        SELECT s.tid, s.waits_for AS was, ARRAY(
            SELECT w.id FROM unnest(s.waits_for) AS w (id) CROSS JOIN LATERAL (
                SELECT FROM insights.deliveries p
                WHERE p.handler = w.id AND p.event_id = s.event_id AND p.died_at IS NULL
                LIMIT 1
            ) owed CROSS JOIN LATERAL (
                SELECT FROM insights.handlers_on o
                JOIN insights.subscriptions q ON q.handler = o.name
                JOIN insights.events e ON e.type = q.event_type
                WHERE o.id = w.id AND e.id = s.event_id
                LIMIT 1
            ) followed
        ) AS waits_for
        FROM part s
    ), locked AS MATERIALIZED (
        SELECT c.* FROM checked c CROSS JOIN LATERAL (
            SELECT FROM insights.deliveries d WHERE d.ctid = c.tid
            LIMIT 1 FOR UPDATE SKIP LOCKED
        ) d
        WHERE cardinality(c.waits_for) < cardinality(c.was)
    ), released AS (
        UPDATE insights.deliveries d
        SET waits_for = nullif(c.waits_for, '{}'), seq = nextval('insights.delivery_seq')
        FROM locked c
        WHERE d.ctid = ANY (ARRAY(SELECT n.tid FROM locked n))
          AND d.ctid = c.tid AND d.waits_for = c.was
        RETURNING d.waits_for
    )
    SELECT (SELECT count(*) FROM released), (SELECT max(s.seq) FROM part s)
""")


def release(on: Executor, handler: str, events: Collection[UUID]) -> bool:
    """Have nothing wait for a handler any more with these events; return whether some is due now.

    Call it where the handler is done with them, or they are dead: in the same transaction.
    """
    if not events:
        return False
    given = {"handler": handler, "ids": arrays.uuids(events)}
    released, waiting = on.execute(RELEASE_SOLE, given).one()
    if released == waiting:
        return bool(released)
    locked = on.execute(LOCK_WAITING, given).all()
    if not locked:
        return bool(released)
    rows = {
        "waiting": arrays.plain(row.handler for row in locked),
        "ids": arrays.uuids(row.event_id for row in locked),
    }
    now_due = on.scalars(RELEASE, {"handler": handler} | rows).all()
    return bool(released) or any(now_due)


def sweep(on: Executor, after: int = -1) -> Swept:
    """End waiting that nobody will end, in the next rows after the number `after`."""
    return Swept(*on.execute(SWEEP, {"after": after, "most": SWEPT_AT_ONCE}).one())
