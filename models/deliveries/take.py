"""A worker takes a batch of what is due in our database, and owes again what was not done.

The order of what is taken: what fell due later (back-offs, what was put off) before what is due at
once, at most half a batch of it, so that neither stands in the other's way. What had setbacks is
taken alone: the more of them, the smaller the company. A lookup by `LIMIT` of an unknown number
keeps each plan a walk along its index, whatever the statistics say.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from models import arrays
from models.deliveries.lease import Executor, Lease, columns


class TakenDelivery(NamedTuple):
    """A delivery in hand, with its event, and what its row held.

    `handler_id` is `handlers.id`. `circuit_is_troubled`: the handler's provider failed lately, so
    that an answer of it is worth writing down. `is_probe`: the circuit is half-open, and this one
    delivery tries. `precedes`: other handlers wait for this one. `type` and `body` are None where
    the event is gone; `body` is the event's data and envelope as one JSON object.
    """

    handler_id: int
    circuit_is_troubled: bool
    is_probe: bool
    precedes: bool
    id: UUID
    seq: int
    due_at: datetime | None
    token: int
    attempts: int
    setbacks: int
    last_error: str | None
    type: str
    body: str

    @property
    def lease(self) -> Lease:
        """What the statements name this delivery by."""
        return Lease(self.id, self.token)


# Take, effect and end of the debt in one transaction: the row lock is the lease. Only what was
# deleted is handled: a row that changed between snapshot and lock is in `later` or `at_once`, but
# not in `gone`. What an open batch holds is left to it, also where its process has just died.
TAKE = text("""
    WITH me AS MATERIALIZED (
        SELECT o.id, CASE WHEN h.resume_at IS NULL THEN CAST(:batch AS integer) ELSE 1 END AS batch,
               h.failures_in_row > 0 OR h.resume_at IS NOT NULL AS troubled,
               EXISTS (SELECT FROM insights.subscriptions s WHERE h.name = ANY (s.after)) AS before
        FROM insights.handlers h JOIN insights.handlers_on o ON o.name = h.name
        WHERE h.name = :handler AND NOT h.paused
          AND (h.resume_at IS NULL OR h.resume_at <= now())
    ), in_hand AS MATERIALIZED (
        SELECT unnest(b.ids) AS id FROM insights.batches_in_hand b
        WHERE b.handler = (SELECT m.id FROM me m)
    ), class AS MATERIALIZED (
        SELECT m.id, k.setbacks, CASE WHEN k.setbacks = 0 THEN (m.batch + 1) / 2
               ELSE greatest(1, CAST(round(m.batch / 8 ^ k.setbacks) AS integer)) END AS size
        FROM me m CROSS JOIN generate_series(0, 4) AS k (setbacks) CROSS JOIN LATERAL (
            SELECT d.due_at FROM insights.deliveries d
            WHERE d.handler = m.id AND least(d.setbacks, 4) = k.setbacks AND d.due_at <= now()
              AND d.died_at IS NULL AND d.waits_for IS NULL
              AND d.event_id NOT IN (SELECT i.id FROM in_hand i)
            ORDER BY d.handler, least(d.setbacks, 4), d.due_at LIMIT 1
        ) first
        WHERE k.setbacks = 0 OR NOT :calm
        ORDER BY first.due_at LIMIT 1
    ), later AS MATERIALIZED (
        SELECT d.tid, d.setbacks FROM class c CROSS JOIN LATERAL (
            SELECT d.ctid AS tid, d.setbacks FROM insights.deliveries d
            WHERE d.handler = c.id AND least(d.setbacks, 4) = c.setbacks AND d.due_at <= now()
              AND d.died_at IS NULL AND d.waits_for IS NULL
              AND d.event_id NOT IN (SELECT i.id FROM in_hand i)
            ORDER BY d.handler, least(d.setbacks, 4), d.due_at LIMIT c.size
            FOR UPDATE SKIP LOCKED
        ) d
    ), at_once AS MATERIALIZED (
        SELECT d.tid FROM me m CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = m.id AND d.due_at IS NULL
              AND d.died_at IS NULL AND d.waits_for IS NULL
              AND d.event_id NOT IN (SELECT i.id FROM in_hand i)
            ORDER BY d.handler, d.seq
            LIMIT (SELECT CASE WHEN bool_or(l.setbacks > 0) THEN 0 ELSE m.batch - count(*) END
                   FROM later l)
            FOR UPDATE SKIP LOCKED
        ) d
    ), gone AS (
        DELETE FROM insights.deliveries d
        WHERE d.ctid = ANY (ARRAY(SELECT l.tid FROM later l UNION ALL SELECT a.tid FROM at_once a))
        RETURNING d.event_id, d.seq, d.due_at, d.leases, d.attempts, d.setbacks, d.last_error
    )
    SELECT m.id, m.troubled, false, m.before, g.*, e.type, e.body
    FROM me m CROSS JOIN gone g
    LEFT JOIN LATERAL (
        SELECT b.type, b.body FROM insights.event_bodies b WHERE b.id = g.event_id LIMIT 1
    ) e ON true
""")

# Undo TAKE for what the handler did not do, in TAKE's own transaction: every column as it was.
# `leased`: the failure that follows is written as that of a claimed delivery is.
PUT_BACK = text("""
    INSERT INTO insights.deliveries
        (handler, event_id, leases, seq, due_at, attempts, setbacks, last_error, leased)
    SELECT :handler, o.*, true
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[]), CAST(:seqs AS bigint[]),
                CAST(:dues AS timestamptz[]), CAST(:attempts AS integer[]),
                CAST(:setbacks AS integer[]), CAST(:errors AS text[])) AS o
""")


def take(on: Executor, handler: str, batch: int, *, calm: bool = False) -> list[TakenDelivery]:
    """Delete up to `batch` deliveries that are due; return them with their events.

    `calm` leaves out what had setbacks: so that of two takes one is for the others. Nothing is
    returned while the handler is paused, off, or its circuit open.
    """
    rows = on.execute(TAKE, {"handler": handler, "batch": batch, "calm": calm})
    return list(map(TakenDelivery._make, rows))


def put_back(on: Executor, deliveries: Iterable[TakenDelivery]) -> None:
    """Owe again what `take` deleted in this same transaction."""
    some = list(deliveries)
    if not some:
        return
    given = {
        "handler": some[0].handler_id,
        "seqs": arrays.plain(each.seq for each in some),
        "dues": [each.due_at for each in some],
        "attempts": arrays.plain(each.attempts for each in some),
        "setbacks": arrays.plain(each.setbacks for each in some),
        "errors": arrays.texts(each.last_error for each in some),
    }
    on.execute(PUT_BACK, given | columns(each.lease for each in some))
