"""Lease what is due, keep leases alive, and give them back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from models import arrays

Executor = Connection | Session


class Lease(NamedTuple):
    """One delivery that was handed out, and the fencing token of that hand-out.

    `event_id` is the id's 32 hexadecimal digits, as it travels in messages.
    """

    event_id: str
    token: int


class LeasedBatch(NamedTuple):
    """Deliveries of one handler that were just leased, all of one kind.

    `began_before`: their previous lease ended without an outcome, so they may have killed their
    process. `probe`: the handler's circuit is open, and this one delivery tries the provider.
    `setbacks`: see failures.defer.
    """

    handler: str
    began_before: bool
    probe: bool
    setbacks: int
    leases: list[Lease]


# Lease what is due, oldest first, for each handler up to its room in its queue.
# Asynchronous commit: a lease that a crash of the server loses just falls due again.
# Row addresses come as an array: a join by ctid may be planned as a scan of the whole table.
LEASE = text("""
    WITH wanted AS MATERIALIZED (
        SELECT h.name, h.resume_at, r.lease,
               CASE WHEN h.resume_at IS NULL THEN r.room ELSE 1 END AS room
        FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick,
             unnest(CAST(:names AS text[]), CAST(:rooms AS integer[]), CAST(:leases AS interval[]))
             AS r (name, room, lease)
        JOIN insights.handlers h ON h.name = r.name
        JOIN insights.handlers_on o ON o.name = r.name
        WHERE NOT h.paused AND (h.resume_at IS NULL OR h.resume_at <= now())
    ), due AS MATERIALIZED (
        SELECT w.name, w.lease, w.resume_at, d.id, d.event_id, d.began_before
        FROM wanted w CROSS JOIN LATERAL (
            SELECT o.ctid AS id, o.event_id, o.leased AS began_before FROM insights.deliveries o
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
    SELECT m.handler,
           (m.handler, m.event_id) IN (SELECT name, event_id FROM due WHERE began_before),
           m.handler IN (SELECT name FROM wanted WHERE resume_at IS NOT NULL), m.setbacks,
           string_agg(CAST(m.event_id AS text), ','), array_agg(m.leases)
    FROM moved m GROUP BY 1, 2, 3, 4
""")

# Prolong leases whose work still runs; whoever lost one to another worker changes nothing.
EXTEND = text("""
    UPDATE insights.deliveries d SET due_at = now() + :lease
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[])) AS o (id, token)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
    RETURNING d.event_id
""")

# Whether a lease still holds. The row's lock keeps it so until the transaction ends.
HOLDS = text("""
    SELECT true FROM insights.deliveries d
    WHERE d.handler = :handler AND d.event_id = :id AND d.leases = :token AND d.leased
    FOR NO KEY UPDATE
""")

# Give leases back before their time, at no attempt; `refund` takes back one that was charged first.
RELEASE = text("""
    UPDATE insights.deliveries d
    SET leased = :began_before, due_at = now(), attempts = greatest(0, d.attempts - :refund)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS integer[])) AS o (id, token)
    WHERE d.handler = :handler AND d.event_id = o.id AND d.leases = o.token AND d.leased
""")


def lease(
    on: Executor, rooms: Mapping[str, int], durations: Mapping[str, timedelta]
) -> list[LeasedBatch]:
    """Lease what is due, at most `rooms` deliveries of each handler.

    Nothing is leased for a handler that is paused or whose provider is off, nor while its circuit
    is open, but for the one probe once `resume_at` has come.
    """
    wanted = {"names": list(rooms), "rooms": list(rooms.values())}
    rows = on.execute(LEASE, wanted | {"leases": [durations[name] for name in rooms]})
    return [
        LeasedBatch(
            handler,
            began_before,
            probe,
            setbacks,
            list(map(Lease, ids.replace("-", "").split(","), tokens)),
        )
        for handler, began_before, probe, setbacks, ids, tokens in rows
    ]


def extend(on: Executor, handler: str, leases: Sequence[Lease], lease: timedelta) -> set[UUID]:
    """Keep leases for longer; return the ids of those that still hold."""
    return set(on.scalars(EXTEND, {"handler": handler, "lease": lease} | columns(leases)))


def holds(on: Executor, handler: str, held: Lease) -> bool:
    """Whether a lease still holds; if so, nobody else gets it before this transaction ends."""
    given = {"handler": handler, "id": UUID(held.event_id), "token": held.token}
    return on.execute(HOLDS, given).one_or_none() is not None


def release(
    on: Executor,
    handler: str,
    leases: Sequence[Lease],
    *,
    refund: int = 0,
    began_before: bool = False,
) -> None:
    """Give deliveries back unhandled: due at once, at no attempt.

    `began_before` keeps in mind that an earlier lease had no outcome.
    """
    given = {"handler": handler, "refund": refund, "began_before": began_before}
    on.execute(RELEASE, given | columns(leases))


def columns(leases: Iterable[Lease]) -> dict[str, str]:
    """The parameters `:ids` and `:tokens` of the statements here."""
    pairs = list(leases)
    return {
        "ids": "{" + ",".join([pair.event_id for pair in pairs]) + "}",
        "tokens": arrays.plain(pair.token for pair in pairs),
    }
