"""A worker begins what was leased, and ends the debt: take or claim, then finish.

Each `LIMIT 1` keeps a plan a walk from the ids through the indexes: the statistics of a table that
fills and empties all day would mislead the planner into reading all of it.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from models import arrays
from models.deliveries.lease import Executor, Lease, columns


class ClaimedDelivery(NamedTuple):
    """A delivery whose work begins, with its event.

    `token` is the fencing token from now on. `circuit_is_troubled` says that the handler's provider
    failed lately, so that an answer of it is worth writing down. `body` is the event's data and
    envelope as one JSON object.
    """

    token: int
    attempts: int
    circuit_is_troubled: bool
    id: UUID
    type: str
    body: str

    @property
    def lease(self) -> Lease:
        """What the statements name this delivery by."""
        return Lease(self.id.hex, self.token)


# Transactional: the debt ends here, and with the effect in the same transaction.
# A lease counts only until there is an outcome (`leased`): the copy of a message whose event failed
# in the meantime finds nothing.
TAKE = text("""
    WITH mine AS MATERIALIZED (
        SELECT o.id, d.tid FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[]))
            AS o (id, token)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
            LIMIT 1
        ) d
    )
    DELETE FROM insights.deliveries d
    USING mine CROSS JOIN LATERAL (
        SELECT * FROM insights.event_bodies b WHERE b.id = mine.id LIMIT 1
    ) e
    WHERE d.ctid = mine.tid
      AND NOT EXISTS (SELECT FROM insights.handlers h WHERE h.name = :handler AND h.paused)
    RETURNING d.leases, d.attempts,
        (SELECT h.failures_in_row > 0 OR h.resume_at IS NOT NULL
         FROM insights.handlers h WHERE h.name = :handler),
        e.id, e.type, e.body
""")

# External: a new token that only the caller knows fences the end of the work, so that the copy of
# a message (RabbitMQ sends one when a connection breaks) cannot begin the same call twice.
CLAIM = text("""
    WITH mine AS MATERIALIZED (
        SELECT o.id, d.tid FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[]))
            AS o (id, token)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
            LIMIT 1
        ) d
    )
    UPDATE insights.deliveries d SET leases = leases + 1, due_at = now() + :lease
    FROM mine CROSS JOIN LATERAL (
        SELECT * FROM insights.event_bodies b WHERE b.id = mine.id LIMIT 1
    ) e CROSS JOIN (SELECT set_config('synchronous_commit', 'off', true)) AS quick
    WHERE d.ctid = mine.tid
      AND NOT EXISTS (SELECT FROM insights.handlers h WHERE h.name = :handler
                      AND (h.paused OR h.resume_at IS NOT NULL AND NOT :probe
                           OR h.name NOT IN (SELECT o.name FROM insights.handlers_on o)))
    RETURNING d.leases, d.attempts,
        (SELECT h.failures_in_row > 0 OR h.resume_at IS NOT NULL
         FROM insights.handlers h WHERE h.name = :handler),
        e.id, e.type, e.body
""")

# External work is done: the debt ends where the token still stands.
FINISH = text("""
    WITH mine AS MATERIALIZED (
        SELECT o.id, d.tid FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[]))
            AS o (id, token)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
            LIMIT 1
        ) d
    )
    DELETE FROM insights.deliveries d USING mine WHERE d.ctid = mine.tid RETURNING mine.id
""")

# Undo TAKE for a part of its own transaction: the part that the handler did not do.
PUT_BACK = text("""
    INSERT INTO insights.deliveries (handler, event_id, leases, attempts, leased)
    SELECT :handler, o.* , true
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[]), CAST(:attempts AS integer[])) o
""")


def take(on: Executor, handler: str, leases: Sequence[Lease]) -> list[ClaimedDelivery]:
    """Delete what is still owed under its lease; return it with its events.

    Nothing is returned while the handler is paused.
    """
    rows = on.execute(TAKE, {"handler": handler} | columns(leases))
    return list(map(ClaimedDelivery._make, rows))


def claim(
    on: Executor, handler: str, leases: Sequence[Lease], duration: timedelta, *, probe: bool
) -> list[ClaimedDelivery]:
    """Begin to handle what is still owed, under a new lease that only the caller knows.

    Nothing is returned while the handler is paused, its provider is off, or its circuit open,
    unless this is the probe.
    """
    given = {"handler": handler, "lease": duration, "probe": probe}
    return list(map(ClaimedDelivery._make, on.execute(CLAIM, given | columns(leases))))


def finish(on: Executor, handler: str, leases: Sequence[Lease]) -> set[UUID]:
    """Delete what is done, where the lease still holds; return the ids for which it did."""
    finished: set[UUID] = set()
    # Twice: PostgreSQL rechecks a row by its address after a wait, and a row whose lease was just
    # being extended has another address by then.
    for _ in range(2):
        missing = [each for each in leases if UUID(each.event_id) not in finished]
        if missing:
            finished |= set(on.scalars(FINISH, {"handler": handler} | columns(missing)))
    return finished


def put_back(on: Executor, handler: str, deliveries: Iterable[ClaimedDelivery]) -> None:
    """Owe again what `take` deleted in this same transaction."""
    some = list(deliveries)
    attempts = arrays.plain(each.attempts for each in some)
    given = {"handler": handler, "attempts": attempts} | columns(each.lease for each in some)
    on.execute(PUT_BACK, given)
