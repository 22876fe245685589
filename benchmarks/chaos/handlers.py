"""Handlers whose effects show each repetition: nothing here forgives being called twice."""

import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.chaos.client import provider
from benchmarks.chaos.events import ChaosHappened, GivenUp, WorkAsked, WorkDone
from events import Event, UserSignedUp, uuid7
from handlers import external, transactional
from models import arrays
from services import Services

SHORT = timedelta(seconds=3)
ROW = text("INSERT INTO chaos.rows (event_id) SELECT unnest(CAST(:ids AS uuid[]))")


class Poisoned(ValueError):
    """Raised for an event that nobody can stomach."""


def give_up(event: Event) -> Event:
    """Its id is new each time, as in `answer`: a second funeral would be seen."""
    return event.follow(GivenUp).model_copy(update={"id": uuid7()})


@transactional(
    "chaos_rows",
    ChaosHappened,
    UserSignedUp,
    WorkDone,
    GivenUp,
    batch=40,
    max_attempts=5,
    lease=SHORT,
    on_death=give_up,
)
def insert_rows(events: Sequence[Event], session: Session) -> None:
    """A row per event, in a table without any key."""
    session.execute(ROW, {"ids": arrays.uuids(event.id for event in events)})
    if any(isinstance(event, ChaosHappened) and event.poisonous for event in events):
        raise Poisoned


@external("chaos_call", ChaosHappened)
def call(event: Event, _services: Services, key: str) -> None:
    """One call per event."""
    provider().do("chaos_call", {event.id: key})


@external("chaos_batch", ChaosHappened, UserSignedUp, batch=40)
def call_for_many(events: Sequence[Event], _services: Services, keys: Sequence[str]) -> None:
    """One call for many events."""
    ids = [event.id for event in events]
    provider().do("chaos_batch", dict(zip(ids, keys, strict=True)))


@external("chaos_work", WorkAsked, concurrency=4, lease=SHORT)
def work(event: WorkAsked, _services: Services, key: str) -> Event:
    """Outside work that takes longer than its lease."""
    time.sleep(event.seconds)
    provider().do("chaos_work", {event.id: key})
    return answer(event)


def answer(event: Event) -> Event:
    """Its id is new each time, so that publishing it twice would be seen."""
    return event.follow(WorkDone).model_copy(update={"id": uuid7()})
