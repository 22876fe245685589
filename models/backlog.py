"""What is owed right now, for operators to look at."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.orm import Session


class State(StrEnum):
    """Where a delivery stands. Leased: it was handed out. Waiting: it is due later."""

    DUE = "due"
    LEASED = "leased"
    WAITING = "waiting"
    DEAD = "dead"


# One pass over the table, which is small by nature, is quicker than a look into each index.
SUMMARY = text("""
    SELECT coalesce(h.name, d.handler) AS handler, coalesce(h.paused, false) AS paused, h.resume_at,
           coalesce(d.due, 0) AS due, coalesce(d.leased, 0) AS leased,
           coalesce(d.waiting, 0) AS waiting, coalesce(d.dead, 0) AS dead,
           now() - d.oldest AS oldest
    FROM insights.handlers h
    FULL JOIN (
        SELECT o.handler,
               count(*) FILTER (WHERE o.died_at IS NULL AND o.due_at <= now()) AS due,
               count(*) FILTER (WHERE o.died_at IS NULL AND o.due_at > now() AND o.leased)
                   AS leased,
               count(*) FILTER (WHERE o.died_at IS NULL AND o.due_at > now() AND NOT o.leased)
                   AS waiting,
               count(*) FILTER (WHERE o.died_at IS NOT NULL) AS dead,
               min(o.due_at) FILTER (WHERE o.died_at IS NULL AND o.due_at <= now()) AS oldest
        FROM insights.deliveries o
        WHERE CAST(:handler AS text) IS NULL OR o.handler = :handler
        GROUP BY o.handler
    ) d ON d.handler = h.name
    WHERE CAST(:handler AS text) IS NULL OR coalesce(h.name, d.handler) = :handler
    ORDER BY 1
""")

# Each branch reads no more of its index than it shows, however much is owed.
LISTING = text("""
    SELECT o.handler, o.event_id, e.type, o.state, o.due_at, o.died_at, o.at - now() AS due_in,
           o.attempts, o.leases, o.last_error
    FROM insights.handlers h
    CROSS JOIN LATERAL (
        (SELECT d.*, d.due_at AS at,
                CASE WHEN d.due_at <= now() THEN 'due' WHEN d.leased THEN 'leased'
                     ELSE 'waiting' END AS state
         FROM insights.deliveries d
         WHERE d.handler = h.name AND d.died_at IS NULL
           AND (CAST(:event AS uuid) IS NULL OR d.event_id = :event)
           AND CASE CAST(:state AS text)
                   WHEN 'due' THEN d.due_at <= now()
                   WHEN 'leased' THEN d.due_at > now() AND d.leased
                   WHEN 'waiting' THEN d.due_at > now() AND NOT d.leased
                   WHEN 'dead' THEN false
                   ELSE true END
         ORDER BY d.due_at LIMIT :at_most)
        UNION ALL
        (SELECT d.*, d.died_at, 'dead'
         FROM insights.deliveries d
         WHERE d.handler = h.name AND d.died_at IS NOT NULL
           AND (CAST(:event AS uuid) IS NULL OR d.event_id = :event)
           AND coalesce(CAST(:state AS text), 'dead') = 'dead'
         ORDER BY d.died_at LIMIT :at_most)
    ) o
    LEFT JOIN insights.events e ON e.id = o.event_id
    WHERE CAST(:handler AS text) IS NULL OR h.name = :handler
    ORDER BY o.at LIMIT :at_most
""")


def summary(on: Connection | Session, handler: str | None = None) -> Sequence[Row[Any]]:
    """Per handler: how much is in each State, and how long the oldest has been due."""
    return on.execute(SUMMARY, {"handler": handler}).all()


def listing(
    on: Connection | Session,
    *,
    handler: str | None = None,
    event: UUID | None = None,
    state: State | None = None,
    at_most: int = 50,
) -> Sequence[Row[Any]]:
    """Deliveries, the longest due first; `due_in` is negative for what was due or died before."""
    given = {"handler": handler, "event": event, "state": state, "at_most": at_most}
    return on.execute(LISTING, given).all()
