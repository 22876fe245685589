"""`GET /events/{event_id}`: who was owed an event, who has done with it, who still owes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import text

from web.authentication import RequiresKey
from web.dependencies import Injected
from web.problems import Problem

router = APIRouter()

EVENT = text("""
    SELECT id, type, source, occurred_at, recorded_at, correlation_id, causation_id
    FROM insights.events WHERE id = :id
""")

# Handlers that no longer follow the type may still owe; all that ever were have a row.
HANDLERS = text("""
    SELECT h.name AS handler, d.attempts, d.last_error,
           CASE WHEN d.died_at IS NULL THEN d.due_at END AS due_at,
           CASE WHEN d.event_id IS NULL THEN 'done'
                WHEN d.died_at IS NOT NULL THEN 'dead'
                WHEN d.due_at <= now() THEN 'due'
                WHEN d.leased THEN 'leased'
                ELSE 'waiting' END AS state
    FROM insights.handlers h
    LEFT JOIN insights.subscriptions s ON s.handler = h.name AND s.event_type = :type
    LEFT JOIN (SELECT * FROM insights.deliveries
               WHERE handler = ANY(ARRAY(SELECT name FROM insights.handlers)) AND event_id = :id
    ) d ON d.handler = h.name
    WHERE s.handler IS NOT NULL OR d.handler IS NOT NULL
    ORDER BY h.name
""")


class HandlerState(BaseModel):
    """What has become of one handler's debt."""

    handler: str
    state: Literal["done", "due", "leased", "waiting", "dead"] = Field(
        description="`due`: it will be handed out at once. `leased`: it was handed out and has no "
        "outcome yet. `waiting`: it is tried again at `due_at`. `dead`: it is not tried again "
        "until an operator replays it. `done`: nothing is owed (any more)."
    )
    attempts: int | None = Field(description="How often it failed; null when it is done.")
    last_error: str | None
    due_at: datetime | None = Field(description="When it is due, or its lease ends.")


class EventState(BaseModel):
    """One event and what follows from it. Its data are not shown."""

    id: UUID
    type: str
    source: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID | None
    causation_id: UUID | None
    handlers: list[HandlerState]


@router.get("/events/{event_id}", dependencies=[RequiresKey], tags=["events"])
def read_event(event_id: UUID, door: Injected) -> EventState:
    """Tell who was owed this event, and how far each handler is.

    Owed are the handlers that follow the event's type today, and any that still has a debt. A
    handler that began to follow the type after the event shows as `done`: nothing is owed.
    """
    with door.sessions() as session:
        event = session.execute(EVENT, {"id": event_id}).mappings().one_or_none()
        if event is None:
            raise Problem(404, "No event has this id. Old ones are forgotten after a while.")
        owed = session.execute(HANDLERS, {"id": event_id, "type": event["type"]}).mappings()
        return EventState(**event, handlers=[HandlerState(**each) for each in owed])
