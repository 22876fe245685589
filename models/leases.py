"""From the debt to the work: lease, then take or claim, extend, finish."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.orm import Session

from models import arrays

Executor = Connection | Session


class Owed(NamedTuple):
    """A delivery that was handed out, and the fencing token that it was handed out under.

    `event_id` is the id's 32 hexadecimal digits, as it travels in messages.
    """

    event_id: str
    lease: int


class Leased(NamedTuple):
    """Deliveries of one handler that the relay just leased, all of one kind.

    `again`: their last hand-out had no outcome. `probe`: their handler rests, and this one tries
    whether the provider is back. `setbacks`: see settling.put_off.
    """

    handler: str
    again: bool
    probe: bool
    setbacks: int
    owed: list[Owed]


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
# An array of row addresses, because a join by them may be planned as a scan of the whole table.
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
        SELECT w.name, w.lease, w.resume_at, d.id, d.event_id, d.again
        FROM wanted w CROSS JOIN LATERAL (
            SELECT o.ctid AS id, o.event_id, o.leased AS again FROM insights.deliveries o
            WHERE o.handler = w.name AND o.died_at IS NULL AND o.due_at <= now()
            ORDER BY o.due_at LIMIT w.room FOR UPDATE SKIP LOCKED
        ) d
    ), probing AS (
        UPDATE insights.handlers h SET resume_at = now() + due.lease
        FROM due WHERE h.name = due.name AND due.resume_at IS NOT NULL AND h.resume_at IS NOT NULL
    ), moved AS (
        UPDATE insights.deliveries d
        SET due_at = now() + (SELECT w.lease FROM wanted w WHERE w.name = d.handler),
            leases = leases + 1, leased = true
        WHERE d.ctid = ANY (ARRAY(SELECT due.id FROM due))
        RETURNING d.handler, d.event_id, d.leases, d.setbacks
    )
    SELECT m.handler, (m.handler, m.event_id) IN (SELECT name, event_id FROM due WHERE again),
           m.handler IN (SELECT name FROM wanted WHERE resume_at IS NOT NULL), m.setbacks,
           string_agg(CAST(m.event_id AS text), ','), array_agg(m.leases)
    FROM moved m GROUP BY 1, 2, 3, 4
""")

# A lease holds until there is an outcome: what failed, waits or died is not owed to a copy of its
# message. Each `LIMIT 1` keeps the plan a walk from the ids through the indexes: the statistics of
# a table that fills and empties all day mislead the planner into reading all of it.
OWED = """
    WITH owed AS MATERIALIZED (
        SELECT o.id, d.tid FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS integer[]))
            AS o (id, lease)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.leased
            LIMIT 1
        ) d
    )
"""
TROUBLED = """
    (SELECT h.failures_in_row > 0 OR h.resume_at IS NOT NULL
     FROM insights.handlers h WHERE h.name = :handler) AS troubled,
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
    + TROUBLED
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
    + TROUBLED
    + EVENT
)

FINISH = text(
    OWED + "DELETE FROM insights.deliveries d USING owed WHERE d.ctid = owed.tid RETURNING owed.id"
)

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
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.lease AND d.leased
    RETURNING d.event_id
""")


def lease(on: Executor, rooms: Mapping[str, int], leases: Mapping[str, timedelta]) -> list[Leased]:
    """Lease what is due, at most `rooms` deliveries of each handler; skip who pauses or rests."""
    wanted = {"names": list(rooms), "rooms": list(rooms.values())}
    rows = on.execute(LEASE, wanted | {"leases": [leases[name] for name in rooms]})
    return [
        Leased(
            handler,
            again,
            probe,
            setbacks,
            list(map(Owed, ids.replace("-", "").split(","), tokens)),
        )
        for handler, again, probe, setbacks, ids, tokens in rows
    ]


def take(on: Executor, handler: str, owed: Sequence[Owed]) -> Sequence[Row[Any]]:
    """Delete what is still owed under its lease and return it with its events.

    `troubled` says of each whether the handler's provider was down lately.
    """
    return on.execute(TAKE, {"handler": handler} | columns(owed)).all()


def claim(
    on: Executor, handler: str, owed: Sequence[Owed], lease: timedelta, *, probe: bool
) -> Sequence[Row[Any]]:
    """Begin to handle what is still owed, under a new lease that only the caller knows.

    Nothing is returned while the handler pauses or rests, unless this is the probe. `troubled`: as
    of `take`.
    """
    given = {"handler": handler, "lease": lease, "probe": probe}
    return on.execute(CLAIM, given | columns(owed)).all()


def finish(on: Executor, handler: str, owed: Sequence[Owed]) -> set[UUID]:
    """Delete what is done, where the lease still holds; return the ids for which it did.

    It looks twice: a row whose lease was just being extended has another address by then.
    """
    finished: set[UUID] = set()
    for _ in range(2):
        missing = [each for each in owed if UUID(each.event_id) not in finished]
        if missing:
            finished |= set(on.scalars(FINISH, {"handler": handler} | columns(missing)))
    return finished


def read(on: Executor, ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """The stored events of these ids."""
    return on.execute(READ, {"ids": arrays.uuids(ids)}).all()


def extend(on: Executor, handler: str, owed: Sequence[Owed], lease: timedelta) -> set[UUID]:
    """Keep leases for longer; return the ids of those that still hold."""
    return set(on.scalars(EXTEND, {"handler": handler, "lease": lease} | columns(owed)))


def owed_by(rows: Iterable[Row[Any]]) -> list[Owed]:
    """What rows of `take` or `claim` stand for."""
    return [Owed(row.id.hex, row.leases) for row in rows]


def columns(owed: Iterable[Owed]) -> dict[str, str]:
    """What the statements call `:ids` and `:leases`."""
    pairs = list(owed)
    return {
        "ids": "{" + ",".join([pair.event_id for pair in pairs]) + "}",
        "leases": arrays.plain(pair.lease for pair in pairs),
    }
