"""An order of three handlers, and what becomes of what waits."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from models.deliveries.claim import claim
from models.deliveries.dependencies import release
from tests.models.deliveries.conftest import LEASE

FIRST, SECOND, LAST = "first", "second", "last"
Publish = Callable[[], UUID]
STATE = text("""
    SELECT d.state, d.seq,
           ARRAY(SELECT h.name FROM unnest(d.waits_for) AS w (id)
                 JOIN insights.handlers h ON h.id = w.id ORDER BY h.name) AS waits_for
    FROM insights.delivery_states d WHERE d.handler = 'last' AND d.event_id = :id
""")
DONE = text("""
    DELETE FROM insights.deliveries d USING insights.handlers h
    WHERE h.id = d.handler AND h.name = :name AND d.event_id = ANY (CAST(:ids AS uuid[]))
""")


def last_of(connection: Connection, event_id: UUID) -> Any:
    """What `last` owes: `state`, `seq`, and for whom it `waits_for`."""
    return connection.execute(STATE, {"id": event_id}).one()


def waits_for(connection: Connection, event_id: UUID) -> list[str]:
    return list(last_of(connection, event_id).waits_for)


def claim_last(connection: Connection) -> list[UUID]:
    return [each.id for each in claim(connection, LAST, 100, LEASE)]


def finish(connection: Connection, handler: str, *events: UUID) -> bool:
    """End what a handler owes, as a worker does; return whether something is due now."""
    connection.execute(DONE, {"name": handler, "ids": list(events)})
    return release(connection, handler, events)
