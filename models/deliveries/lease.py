"""The lease of a claimed delivery: what names it, whether it holds, and how it is kept alive."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from models import arrays

Executor = Connection | Session


class Lease(NamedTuple):
    """One delivery in hand, and the fencing token under which it was claimed."""

    event_id: UUID
    token: int


# Whether a lease still holds. The row's lock keeps it so until the transaction ends.
HOLDS = text("""
    SELECT true FROM insights.deliveries d
    WHERE d.handler = (SELECT h.id FROM insights.handlers h WHERE h.name = :handler)
      AND d.event_id = :id AND d.leases = :token AND d.leased
    FOR NO KEY UPDATE
""")

# Prolong the leases of a process's batches in hand. Those that still run for two thirds of their
# time are left alone: most calls are over before, and cost no write. Past the longest run of the
# handler a lease is prolonged no more. What somebody has locked comes at the next beat: the others
# must not wait for it.
RENEW = text("""
    WITH mine AS MATERIALIZED (
        SELECT d.tid, b.lease
        FROM insights.batches_in_hand b CROSS JOIN unnest(b.ids) AS o (id) CROSS JOIN LATERAL (
            SELECT d.ctid AS tid FROM insights.deliveries d
            WHERE d.handler = b.handler AND d.event_id = o.id AND d.leased
              AND d.due_at < now() + b.lease * 0.67
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        ) d
        WHERE b.process = :process AND b.lease IS NOT NULL
          AND b.until > now()
    )
    UPDATE insights.deliveries d
    SET due_at = now() + (SELECT m.lease FROM mine m WHERE m.tid = d.ctid LIMIT 1)
    WHERE d.ctid = ANY (ARRAY(SELECT m.tid FROM mine m)) AND d.leased
""")


def holds(on: Executor, handler: str, lease: Lease) -> bool:
    """Whether a lease still holds; if so, nobody else gets it before this transaction ends."""
    given = {"handler": handler, "id": lease.event_id, "token": lease.token}
    return on.execute(HOLDS, given).one_or_none() is not None


def renew(on: Executor, process: UUID) -> None:
    """Keep alive the leases of what a process has in hand."""
    on.execute(RENEW, {"process": process})


def columns(leases: Iterable[Lease]) -> dict[str, str]:
    """The parameters `:ids` and `:tokens` of the statements that name deliveries."""
    pairs = list(leases)
    return {
        "ids": arrays.uuids(pair.event_id for pair in pairs),
        "tokens": arrays.plain(pair.token for pair in pairs),
    }
