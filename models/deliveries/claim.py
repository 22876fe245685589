"""A worker claims a batch for work outside of our database, and ends the debt after it.

What is claimed, in which order, is as in take.py. The claim is committed before the work begins,
together with the note of its batch, and asynchronously: a crash of PostgreSQL may forget both, and
then gives the same token out a second time. So whoever ends claimed work asks for its note first.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from models.deliveries.lease import Executor, Lease, columns
from models.deliveries.take import TakenDelivery

# The one lease write, under a new token. A half-open circuit is probed by whoever gets its row,
# and by one at a time: `resume_at` moves on by the lease. Deliveries whose event is gone are
# forgotten: they would go round for ever.
CLAIM = text("""
    WITH probe AS MATERIALIZED (
        SELECT h.id FROM insights.handlers h
        WHERE h.name = :handler AND h.resume_at <= now() AND NOT h.paused
        FOR UPDATE SKIP LOCKED
    ), me AS MATERIALIZED (
        SELECT o.id, CASE WHEN h.resume_at IS NULL THEN CAST(:batch AS integer)
                          WHEN EXISTS (SELECT FROM probe) THEN 1 ELSE 0 END AS batch,
               h.failures_in_row > 0 OR h.resume_at IS NOT NULL AS troubled,
               h.resume_at IS NOT NULL AS half_open,
               EXISTS (SELECT FROM insights.subscriptions s WHERE h.name = ANY (s.after)) AS before
        FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick,
             insights.handlers h JOIN insights.handlers_on o ON o.name = h.name
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
        WHERE m.batch > 0 AND (k.setbacks = 0 OR NOT :calm)
        ORDER BY first.due_at LIMIT 1
    ), later AS MATERIALIZED (
        SELECT d.tid, d.event_id, d.setbacks FROM class c CROSS JOIN LATERAL (
            SELECT d.ctid AS tid, d.event_id, d.setbacks FROM insights.deliveries d
            WHERE d.handler = c.id AND least(d.setbacks, 4) = c.setbacks AND d.due_at <= now()
              AND d.died_at IS NULL AND d.waits_for IS NULL
              AND d.event_id NOT IN (SELECT i.id FROM in_hand i)
            ORDER BY d.handler, least(d.setbacks, 4), d.due_at LIMIT c.size
            FOR UPDATE SKIP LOCKED
        ) d
    ), at_once AS MATERIALIZED (
        SELECT d.tid, d.event_id FROM me m CROSS JOIN LATERAL (
            SELECT d.ctid AS tid, d.event_id FROM insights.deliveries d
            WHERE d.handler = m.id AND d.due_at IS NULL
              AND d.died_at IS NULL AND d.waits_for IS NULL
              AND d.event_id NOT IN (SELECT i.id FROM in_hand i)
            ORDER BY d.handler, d.seq
            LIMIT (SELECT CASE WHEN bool_or(l.setbacks > 0) THEN 0 ELSE m.batch - count(*) END
                   FROM later l)
            FOR UPDATE SKIP LOCKED
        ) d
    ), chosen AS MATERIALIZED (
        SELECT c.tid, c.event_id, e.type, e.body
        FROM (SELECT l.tid, l.event_id FROM later l
              UNION ALL SELECT a.tid, a.event_id FROM at_once a) c
        LEFT JOIN LATERAL (
            SELECT b.type, b.body FROM insights.event_bodies b WHERE b.id = c.event_id LIMIT 1
        ) e ON true
    ), forgotten AS (
        DELETE FROM insights.deliveries d
        WHERE d.ctid = ANY (ARRAY(SELECT c.tid FROM chosen c WHERE c.type IS NULL))
    ), claimed AS (
        UPDATE insights.deliveries d
        SET due_at = now() + :lease, leases = leases + 1, leased = true
        WHERE d.ctid = ANY (ARRAY(SELECT c.tid FROM chosen c WHERE c.type IS NOT NULL))
        RETURNING d.event_id, d.seq, d.due_at, d.leases, d.attempts, d.setbacks, d.last_error
    ), probing AS (
        UPDATE insights.handlers h SET resume_at = now() + :lease
        WHERE h.id IN (SELECT p.id FROM probe p) AND EXISTS (SELECT FROM claimed)
    )
    SELECT m.id, m.troubled, m.half_open, m.before, d.*, c.type, c.body
    FROM me m CROSS JOIN claimed d JOIN chosen c ON c.event_id = d.event_id
""")

# External work is done: the debt ends where the token still stands.
FINISH = text("""
    WITH mine AS MATERIALIZED (
        SELECT d.tid FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[])) AS o (id, token)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
              AND d.event_id = o.id AND d.leases = o.token AND d.leased
            LIMIT 1
        ) d
    )
    DELETE FROM insights.deliveries d
    WHERE d.ctid = ANY (ARRAY(SELECT m.tid FROM mine m)) RETURNING d.event_id
""")


def claim(
    on: Executor, handler: str, batch: int, lease: timedelta, *, calm: bool = False
) -> list[TakenDelivery]:
    """Lease up to `batch` deliveries that are due, under tokens that only the caller knows.

    Nothing is returned while the handler is paused, off, or its circuit open; a half-open circuit
    gives one delivery, to one worker. `calm` is explained at `take`.
    """
    given = {"handler": handler, "batch": batch, "lease": lease, "calm": calm}
    return list(map(TakenDelivery._make, on.execute(CLAIM, given)))


def finish(on: Executor, handler: str, leases: Sequence[Lease]) -> set[UUID]:
    """Delete what is done, where the lease still holds; return the ids for which it did."""
    finished: set[UUID] = set()
    # Twice: PostgreSQL rechecks a row by its address after a wait, and a row whose lease was just
    # being renewed has another address by then.
    for _ in range(2):
        missing = [each for each in leases if each.event_id not in finished]
        if missing:
            finished |= set(on.scalars(FINISH, {"handler": handler} | columns(missing)))
    return finished
