"""`GET /events/{event_id}`: an event and the state of each handler's delivery of it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.deliveries.backlog import handlers_of_event
from models.deliveries.table import DeliveryState
from models.events import find
from web.authentication import RequiresKey
from web.dependencies import Injected
from web.problems import Problem

router = APIRouter()


class HandlerState(BaseModel):
    """The state of one handler's delivery of the event."""

    handler: str
    state: DeliveryState | Literal["done", "off"] = Field(
        description="`due`: it will be handed out at once. `leased`: it was handed out and has no "
        "outcome yet. `waiting`: it is tried again at `due_at`. `dead`: it is not tried again "
        "until an operator replays it. `done`: nothing is owed (any more). `off`: nothing is owed "
        "(any more), since the handler's provider was switched off when the event was recorded."
    )
    attempts: int | None = Field(description="How often it failed; null when nothing is owed.")
    last_error: str | None
    due_at: datetime | None = Field(description="When it is due, or its lease ends.")


class EventState(BaseModel):
    """One event and its deliveries. Its data are not shown: they may be personal."""

    id: UUID
    type: str
    source: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID | None
    causation_id: UUID | None
    handlers: list[HandlerState]


@router.get("/events/{event_id}", dependencies=[RequiresKey], tags=["events"])
def read_event(event_id: UUID, dependencies: Injected) -> EventState:
    """Show an event, and for each handler whether it is done with it.

    Listed are the handlers subscribed to the event's type today, and any that still has a
    delivery. A handler that subscribed after the event shows as `done`: it owes nothing.
    """
    with dependencies.sessions() as session:
        event = find(session, event_id)
        if event is None:
            raise Problem(404, "No event has this id. Old ones are forgotten after a while.")
        handlers = [
            HandlerState(
                handler=each.handler,
                state=each.state or ("off" if each.was_off else "done"),
                attempts=each.attempts,
                last_error=each.last_error,
                due_at=each.due_at,
            )
            for each in handlers_of_event(session, event_id, event.type)
        ]
        return EventState(
            id=event.id,
            type=event.type,
            source=event.source,
            occurred_at=event.occurred_at,
            recorded_at=event.recorded_at,
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
            handlers=handlers,
        )
