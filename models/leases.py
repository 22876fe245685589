"""The life of a delivery, one statement a step: lease, take or claim, settle."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.orm import Session

from models import arrays

Executor = Connection | Session

FIRST_BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(hours=1)
PATIENCE = 3
FIRST_REST = timedelta(seconds=2)
LONGEST_REST = timedelta(seconds=60)


class Owed(NamedTuple):
    """A delivery that was handed out, and the fencing token that it was handed out under.

    `event_id` is the id's 32 hexadecimal digits, as it travels in messages.
    """

    event_id: str
    lease: int


class Leased(NamedTuple):
    """A delivery that the relay just leased.

    `again`: its last hand-out had no outcome. `probe`: its handler rests, and this one tries
    whether the provider is back.
    """

    handler: str
    event_id: UUID
    lease: int
    again: bool
    probe: bool


@dataclass(frozen=True)
class Verdict:
    """What becomes of a delivery that is not done."""

    owed: Owed
    error: str
    charge: int = 1
    dead: bool = False
    after: timedelta | None = None


# An event's type, and its data and envelope as one JSON object: put together here, it is read
# in one go there. The envelope comes last: in JSON the last of two equal keys counts.
EVENT = """
    e.id, e.type, concat(
        left(CAST(e.data AS text), -1), CASE WHEN e.data <> '{}' THEN ',' END,
        '"id":"', e.id, '","occurred_at":', to_json(e.occurred_at), ',"source":', to_json(e.source),
        ',"user_id":', coalesce(to_json(e.user_id), 'null'),
        ',"correlation_id":', coalesce(to_json(e.correlation_id), 'null'),
        ',"causation_id":', coalesce(to_json(e.causation_id), 'null'),
        ',"traceparent":', coalesce(to_json(e.traceparent), 'null'), '}') AS body
"""

# Leases may be lost in a crash of the server (asynchronous commit): they just fall due again.
LEASE = text("""
    WITH wanted AS MATERIALIZED (
        SELECT h.name, h.resume_at, r.lease,
               CASE WHEN h.resume_at IS NULL THEN r.room ELSE 1 END AS room
        FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick,
             unnest(CAST(:names AS text[]), CAST(:rooms AS integer[]), CAST(:leases AS interval[]))
             AS r (name, room, lease)
        JOIN insights.handlers h ON h.name = r.name
        WHERE NOT h.paused AND (h.resume_at IS NULL OR h.resume_at <= now())
    ), due AS MATERIALIZED (
        SELECT w.name, w.lease, w.resume_at, d.id, d.again
        FROM wanted w CROSS JOIN LATERAL (
            SELECT o.ctid AS id, o.leased AS again FROM insights.deliveries o
            WHERE o.handler = w.name AND o.died_at IS NULL AND o.due_at <= now()
            ORDER BY o.due_at LIMIT w.room FOR UPDATE SKIP LOCKED
        ) d
    ), probing AS (
        UPDATE insights.handlers h SET resume_at = now() + due.lease
        FROM due WHERE h.name = due.name AND due.resume_at IS NOT NULL
    )
    UPDATE insights.deliveries d SET due_at = now() + due.lease, leases = leases + 1, leased = true
    FROM due WHERE d.ctid = due.id
    RETURNING d.handler, d.event_id, d.leases, due.again, due.resume_at IS NOT NULL
""")

# Each `LIMIT 1` keeps the plan a walk from the ids through the indexes: the statistics of a
# table that fills and empties all day mislead the planner into reading all of it.
OWED = """
    WITH owed AS MATERIALIZED (
        SELECT o.id, d.tid FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[]))
            AS o (id, lease)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease LIMIT 1
        ) d
    )
"""
ITS_EVENT = """
    owed CROSS JOIN LATERAL (SELECT * FROM insights.events e WHERE e.id = owed.id LIMIT 1) e
"""

TAKE = text(
    OWED
    + "DELETE FROM insights.deliveries d USING "
    + ITS_EVENT
    + """
    WHERE d.ctid = owed.tid
      AND NOT EXISTS (SELECT FROM insights.handlers h WHERE h.name = :handler AND h.paused)
    RETURNING d.leases, d.attempts, """
    + EVENT
)

CLAIM = text(
    OWED
    + "UPDATE insights.deliveries d SET leases = leases + 1, due_at = now() + :lease FROM "
    + ITS_EVENT
    + """
    CROSS JOIN (SELECT set_config('synchronous_commit', 'off', true)) AS quick
    WHERE d.ctid = owed.tid
      AND NOT EXISTS (SELECT FROM insights.handlers h WHERE h.name = :handler
                      AND (h.paused OR h.resume_at IS NOT NULL AND NOT :probe))
    RETURNING d.leases, d.attempts, """
    + EVENT
)

PUT_BACK = text("""
    INSERT INTO insights.deliveries (handler, event_id, leases, attempts, leased)
    SELECT :handler, o.* , true
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[]), CAST(:attempts AS integer[])) o
""")

FINISH = text(
    OWED + "DELETE FROM insights.deliveries d USING owed WHERE d.ctid = owed.tid RETURNING owed.id"
)

CHARGE = text("""
    UPDATE insights.deliveries d
    SET attempts = attempts + 1,
        last_error = 'The worker process died while it handled this event.',
        died_at = CASE WHEN attempts >= :max_attempts THEN now() END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[])) AS o (id, lease)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.died_at IS NULL
    RETURNING d.event_id, d.died_at IS NOT NULL AS dead
""")

SETTLE = text("""
    UPDATE insights.deliveries d
    SET leased = false,
        attempts = d.attempts + v.charge,
        last_error = v.error,
        died_at = CASE WHEN v.dead OR d.attempts + v.charge >= :max_attempts AND v.after IS NULL
                       THEN now() END,
        due_at = now() + coalesce(v.after, (0.5 + random()) * least(
            :longest, :first * 2 ^ least(d.attempts + v.charge - 1, 30)))
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:leases AS integer[]), CAST(:charges AS integer[]),
        CAST(:errors AS text[]), CAST(:deads AS boolean[]), CAST(:afters AS interval[])
    ) AS v (id, lease, charge, error, dead, after)
    WHERE d.handler = :handler AND d.event_id = v.id AND d.leases = v.lease
    RETURNING d.event_id, d.died_at IS NOT NULL AS dead
""")

RELEASE = text("""
    UPDATE insights.deliveries d
    SET leased = false, due_at = now(), attempts = greatest(0, d.attempts - :refund)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[])) AS o (id, lease)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.leased
""")

REST = text("""
    UPDATE insights.handlers
    SET failures_in_row = failures_in_row + 1,
        resume_at = CASE WHEN failures_in_row + 1 >= :patience THEN
            now() + least(:longest, :first * 2 ^ least(failures_in_row + 1 - :patience, 20)) END
    WHERE name = :handler
    RETURNING resume_at
""")

RECOVER = text("""
    UPDATE insights.handlers SET failures_in_row = 0, resume_at = NULL
    WHERE name = :handler AND failures_in_row > 0
""")

READ = text(
    """
    SELECT """
    + EVENT
    + """
    FROM insights.events e WHERE e.id = ANY (CAST(:ids AS uuid[]))
"""
)

EXTEND = text("""
    UPDATE insights.deliveries d SET due_at = now() + :lease
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[])) AS o (id, lease)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease
    RETURNING d.event_id
""")


def lease(on: Executor, rooms: Mapping[str, int], leases: Mapping[str, timedelta]) -> list[Leased]:
    """Lease what is due, at most `rooms` deliveries of each handler; skip who pauses or rests."""
    wanted = {"names": list(rooms), "rooms": list(rooms.values())}
    rows = on.execute(LEASE, wanted | {"leases": [leases[name] for name in rooms]})
    return [Leased(*row) for row in rows]


def take(on: Executor, handler: str, owed: Sequence[Owed]) -> Sequence[Row[Any]]:
    """Delete what is still owed under its lease and return it with its events."""
    return on.execute(TAKE, {"handler": handler} | _columns(owed)).all()


def claim(
    on: Executor, handler: str, owed: Sequence[Owed], lease: timedelta, *, probe: bool
) -> Sequence[Row[Any]]:
    """Begin to handle what is still owed, under a new lease that only the caller knows.

    Nothing is returned while the handler pauses or rests, unless this is the probe.
    """
    given = {"handler": handler, "lease": lease, "probe": probe}
    return on.execute(CLAIM, given | _columns(owed)).all()


def finish(on: Executor, handler: str, owed: Sequence[Owed]) -> set[UUID]:
    """Delete what is done, where the lease still holds; return the ids for which it did."""
    return set(on.scalars(FINISH, {"handler": handler} | _columns(owed)))


def charge(on: Executor, handler: str, owed: Sequence[Owed], max_attempts: int) -> dict[UUID, bool]:
    """Count an attempt before it begins, for work that may kill its process.

    Returns, for each that is still owed, whether it has been tried too often and is dead now.
    """
    given = {"handler": handler, "max_attempts": max_attempts}
    return {row.event_id: row.dead for row in on.execute(CHARGE, given | _columns(owed))}


def settle(
    on: Executor, handler: str, verdicts: Sequence[Verdict], max_attempts: int
) -> dict[UUID, bool]:
    """Write what becomes of deliveries that are not done; return whether each is dead now."""
    given = {
        "handler": handler,
        "max_attempts": max_attempts,
        "first": FIRST_BACK_OFF,
        "longest": LONGEST_BACK_OFF,
        "charges": arrays.plain(verdict.charge for verdict in verdicts),
        "errors": arrays.texts(verdict.error for verdict in verdicts),
        "deads": arrays.plain(verdict.dead for verdict in verdicts),
        "afters": [verdict.after for verdict in verdicts],
    }
    rows = on.execute(SETTLE, given | _columns(verdict.owed for verdict in verdicts))
    return {row.event_id: row.dead for row in rows}


def read(on: Executor, ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """The stored events of these ids."""
    return on.execute(READ, {"ids": arrays.uuids(ids)}).all()


def put_back(on: Executor, handler: str, rows: Sequence[Row[Any]]) -> None:
    """Undo `take` for some rows of its own transaction."""
    given = _columns(owed_by(rows))
    attempts = arrays.plain(row.attempts for row in rows)
    on.execute(PUT_BACK, {"handler": handler, "attempts": attempts} | given)


def release(on: Executor, handler: str, owed: Sequence[Owed], *, refund: int = 0) -> None:
    """Give deliveries back unhandled: they are due at once, and cost no attempt."""
    on.execute(RELEASE, {"handler": handler, "refund": refund} | _columns(owed))


def rest(on: Executor, handler: str) -> datetime | None:
    """Count a transport failure; after a few in a row, let the handler rest; return until when."""
    given = {"patience": PATIENCE, "first": FIRST_REST, "longest": LONGEST_REST}
    until: datetime | None = on.scalar(REST, given | {"handler": handler})
    return until


def recover(on: Executor, handler: str) -> None:
    """The provider answered: forget its failures and end the rest."""
    on.execute(RECOVER, {"handler": handler})


def extend(on: Executor, handler: str, owed: Sequence[Owed], lease: timedelta) -> set[UUID]:
    """Keep leases for longer; return the ids of those that still hold."""
    return set(on.scalars(EXTEND, {"handler": handler, "lease": lease} | _columns(owed)))


def owed_by(rows: Iterable[Row[Any]]) -> list[Owed]:
    """What rows of `take` or `claim` stand for."""
    return [Owed(row.id.hex, row.leases) for row in rows]


def _columns(owed: Iterable[Owed]) -> dict[str, str]:
    pairs = list(owed)
    return {
        "ids": "{" + ",".join([pair.event_id for pair in pairs]) + "}",
        "leases": arrays.plain(pair.lease for pair in pairs),
    }
