"""What is owed right now, for operators, the HTTP API and Prometheus to look at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from models.deliveries.table import DeliveryState


class HandlerBacklog(NamedTuple):
    """How much one handler owes, by state, and for how long the oldest has been due.

    `is_off`: its provider is off, so that nothing more is owed to it.
    """

    handler: str
    paused: bool
    resume_at: datetime | None
    due: int
    leased: int
    waiting: int
    dead: int
    oldest: timedelta | None
    provider: str | None
    is_off: bool


class ListedDelivery(NamedTuple):
    """One delivery as an operator sees it; `type` is None where its event was pruned.

    `due_in` is negative for what has been due, or has been dead, for so long. `due_at` of what is
    due at once, or waits for another handler, is when its event was recorded.
    """

    handler: str
    event_id: UUID
    type: str | None
    state: DeliveryState
    due_at: datetime | None
    died_at: datetime | None
    due_in: timedelta
    attempts: int
    leases: int
    last_error: str | None


class HandlerOfEvent(NamedTuple):
    """What has become of one handler's debt to one event; `state` is None when nothing is owed.

    `was_off`: its provider was off when the event was recorded, so that none was owed then.
    """

    handler: str
    state: DeliveryState | None
    attempts: int | None
    last_error: str | None
    due_at: datetime | None
    was_off: bool


class HandlerGauge(NamedTuple):
    """Bounded counts of one handler: `due` and `dead` stop at the bound that was asked for."""

    handler: str
    due: int
    age_seconds: float
    dead: int


# Counts per handler and state. One pass over the table, which is small by nature, is quicker than
# a look into each index. What open transactions have in hand is still due to all others: their
# batches tell. The oldest is looked up in the heads of its indexes.
SUMMARY = text("""
    SELECT h.name, h.paused, h.resume_at,
           coalesce(d.due, 0) - coalesce(b.taken, 0), coalesce(d.leased, 0) + coalesce(b.taken, 0),
           coalesce(d.waiting, 0), coalesce(d.dead, 0),
           now() - least(
               (SELECT e.recorded_at FROM insights.events e WHERE e.id = (
                   SELECT o.event_id FROM insights.deliveries o
                   WHERE o.handler = h.id AND o.due_at IS NULL
                     AND o.died_at IS NULL AND o.waits_for IS NULL
                   ORDER BY o.handler, o.seq LIMIT 1)), d.oldest),
           h.provider, n.name IS NULL
    FROM insights.handlers h
    LEFT JOIN insights.handlers_on n ON n.name = h.name
    LEFT JOIN (
        SELECT o.handler_id,
               count(*) FILTER (WHERE o.state = 'due') AS due,
               count(*) FILTER (WHERE o.state = 'leased') AS leased,
               count(*) FILTER (WHERE o.state = 'waiting') AS waiting,
               count(*) FILTER (WHERE o.state = 'dead') AS dead,
               min(o.due_at) FILTER (WHERE o.state = 'due') AS oldest
        FROM insights.delivery_states o
        WHERE CAST(:handler AS text) IS NULL OR o.handler = :handler
        GROUP BY o.handler_id
    ) d ON d.handler_id = h.id
    LEFT JOIN LATERAL (
        SELECT least(coalesce(sum(b.events), 0), coalesce(d.due, 0)) AS taken
        FROM insights.batches_in_hand b
        WHERE b.handler = h.id AND b.lease IS NULL
    ) b ON true
    WHERE CAST(:handler AS text) IS NULL OR h.name = :handler
    ORDER BY h.name
""")

# List deliveries, the longest due first. Each branch reads no more of its index than it shows,
# however much is owed. What is due at once has been due since its event was recorded.
LISTING = text("""
    SELECT h.name, o.event_id, e.type, o.state, coalesce(o.at, e.recorded_at), o.died_at,
           coalesce(o.at, e.recorded_at, now()) - now(), o.attempts, o.leases, o.last_error
    FROM insights.handlers h
    CROSS JOIN LATERAL (
        (SELECT d.*, d.due_at AS at FROM insights.delivery_states d
         WHERE d.handler_id = h.id AND d.due_at IS NULL AND d.died_at IS NULL
           AND d.waits_for IS NULL AND (CAST(:event AS uuid) IS NULL OR d.event_id = :event)
           AND (CAST(:state AS text) IS NULL OR d.state = :state)
         ORDER BY d.seq LIMIT :at_most)
        UNION ALL
        (SELECT d.*, d.due_at FROM insights.delivery_states d
         WHERE d.handler_id = h.id AND d.due_at IS NOT NULL
           AND d.died_at IS NULL AND d.waits_for IS NULL
           AND (CAST(:event AS uuid) IS NULL OR d.event_id = :event)
           AND (CAST(:state AS text) IS NULL OR d.state = :state)
         ORDER BY d.due_at LIMIT :at_most)
        UNION ALL
        (SELECT d.*, d.due_at FROM insights.delivery_states d
         WHERE d.handler_id = h.id AND d.waits_for IS NOT NULL AND d.died_at IS NULL
           AND (CAST(:event AS uuid) IS NULL OR d.event_id = :event)
           AND (CAST(:state AS text) IS NULL OR d.state = :state)
         ORDER BY d.seq LIMIT :at_most)
        UNION ALL
        (SELECT d.*, d.died_at FROM insights.delivery_states d
         WHERE d.handler_id = h.id AND d.died_at IS NOT NULL
           AND (CAST(:event AS uuid) IS NULL OR d.event_id = :event)
           AND (CAST(:state AS text) IS NULL OR d.state = :state)
         ORDER BY d.died_at LIMIT :at_most)
    ) o
    LEFT JOIN insights.events e ON e.id = o.event_id
    WHERE CAST(:handler AS text) IS NULL OR h.name = :handler
    ORDER BY coalesce(o.at, e.recorded_at) LIMIT :at_most
""")

# Who was owed an event: who follows its type today, and who still owes though unsubscribed since.
# The handlers come first, so that the primary key (handler first) finds each row.
OF_EVENT = text("""
    SELECT h.name, d.state, d.attempts, d.last_error,
           CASE WHEN d.state IN ('due', 'leased', 'waiting') AND d.waits_for IS NULL THEN
               coalesce(d.due_at, (SELECT e.recorded_at FROM insights.events e WHERE e.id = :id))
           END,
           coalesce(p.off_during @> (SELECT e.recorded_at FROM insights.events e WHERE e.id = :id),
                    false)
    FROM insights.handlers h
    LEFT JOIN insights.providers p ON p.name = h.provider
    LEFT JOIN insights.subscriptions s ON s.handler = h.name AND s.event_type = :type
    LEFT JOIN LATERAL (
        SELECT o.* FROM insights.delivery_states o
        WHERE o.handler_id = h.id AND o.event_id = :id LIMIT 1
    ) d ON true
    WHERE s.handler IS NOT NULL OR d.handler IS NOT NULL
    ORDER BY h.name
""")

# Gauges for Prometheus: counts stop at `most`, so that a scrape costs the same however much is
# owed. Conditions and orders are those of the partial indexes, which the view's `state` cannot use.
GAUGES = text("""
    SELECT h.name, least(o.many + l.many, :most),
           coalesce(extract(epoch FROM now() - least(l.oldest, (
               SELECT e.recorded_at FROM insights.events e WHERE e.id = o.first)))::float, 0),
           (SELECT count(*) FROM (
               SELECT FROM insights.deliveries d
               WHERE d.handler = h.id AND d.died_at IS NOT NULL
               ORDER BY d.died_at LIMIT :most
           ) dead)
    FROM insights.handlers h
    CROSS JOIN LATERAL (
        SELECT count(*) AS many, (array_agg(d.event_id ORDER BY d.seq))[1] AS first FROM (
            SELECT d.event_id, d.seq FROM insights.deliveries d
            WHERE d.handler = h.id AND d.due_at IS NULL
              AND d.died_at IS NULL AND d.waits_for IS NULL
            ORDER BY d.handler, d.seq LIMIT :most
        ) d
    ) o
    CROSS JOIN LATERAL (
        SELECT count(*) AS many, min(d.due_at) AS oldest
        FROM generate_series(0, 4) AS k (setbacks) CROSS JOIN LATERAL (
            SELECT d.due_at FROM insights.deliveries d
            WHERE d.handler = h.id AND least(d.setbacks, 4) = k.setbacks AND d.due_at <= now()
              AND d.died_at IS NULL AND d.waits_for IS NULL
            ORDER BY d.handler, least(d.setbacks, 4), d.due_at LIMIT :most
        ) d
    ) l
""")

# Walk along an index and stop at the bound: where statistics are old, the planner would rather
# read and sort all that a handler owes. Local: it ends with the transaction.
WALK_INDEXES = text("""
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
           set_config('enable_sort', 'off', true)
""")

# The planner's estimate, for a backlog too large to be counted. It needs the id as a value.
ID = text("SELECT h.id FROM insights.handlers h WHERE h.name = :handler")
ESTIMATE = text("""
    EXPLAIN (FORMAT JSON)
    SELECT 1 FROM insights.deliveries d
    WHERE d.handler = :id AND d.died_at IS NULL AND d.waits_for IS NULL AND d.due_at IS NULL
    UNION ALL SELECT 1 FROM insights.deliveries d
    WHERE d.handler = :id AND d.died_at IS NULL AND d.waits_for IS NULL AND d.due_at <= now()
""")


def summary(on: Connection | Session, handler: str | None = None) -> Sequence[HandlerBacklog]:
    """How much each handler owes, also one that the code does not know."""
    return list(map(HandlerBacklog._make, on.execute(SUMMARY, {"handler": handler})))


def listing(
    on: Connection | Session,
    *,
    handler: str | None = None,
    event: UUID | None = None,
    state: DeliveryState | None = None,
    at_most: int = 50,
) -> Sequence[ListedDelivery]:
    """Deliveries, the longest due first."""
    given = {"handler": handler, "event": event, "state": state, "at_most": at_most}
    rows = map(ListedDelivery._make, on.execute(LISTING, given))
    return [row._replace(state=DeliveryState(row.state)) for row in rows]


def handlers_of_event(on: Session, event_id: UUID, type_: str) -> Sequence[HandlerOfEvent]:
    """What has become of one event at each handler that was owed it."""
    rows = on.execute(OF_EVENT, {"id": event_id, "type": type_})
    return list(map(HandlerOfEvent._make, rows))


def gauges(on: Connection, most: int) -> Sequence[HandlerGauge]:
    """Per handler: how much is due and dead, counted up to `most`, and the age of the oldest."""
    on.execute(WALK_INDEXES)
    return list(map(HandlerGauge._make, on.execute(GAUGES, {"most": most})))


def estimated_due(on: Connection, handler: str) -> int:
    """About how much a handler has due, at a cost that does not grow with it."""
    (plan,) = on.scalars(ESTIMATE, {"id": on.scalar(ID, {"handler": handler})}).one()
    return int(plan["Plan"]["Plan Rows"])
