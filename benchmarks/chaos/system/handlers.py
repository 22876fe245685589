"""Handlers whose effects show every repetition: nothing here de-duplicates."""

import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from benchmarks.chaos.system.events import ChaosHappened, GivenUp, WorkAsked, WorkDone
from benchmarks.chaos.system.provider_client import PATIENT_TIMEOUT, provider
from benchmarks.chaos.system.trap import freeze_if_set
from events import Event, UserSignedUp, uuid7
from handlers import external, transactional
from models import arrays
from services import Services

# So short that a frozen worker, and outside work of 4 to 6 s, outlast it in every run.
SHORT_LEASE = timedelta(seconds=3)
# The table has no key, so a repeated or lost row is seen.
INSERT_ROWS = text("INSERT INTO chaos.rows (event_id) SELECT unnest(CAST(:ids AS uuid[]))")
# One row for all, so that whoever is frozen after this statement stands in everybody's way.
ADD_TO_TALLY = text("UPDATE chaos.tally SET rows = rows + :count")


class Poisoned(ValueError):
    """Raised for an event that no attempt can handle."""


def given_up(event: Event) -> Event:
    return with_new_id(event.follow(GivenUp))


@transactional(
    "chaos_rows",
    ChaosHappened,
    UserSignedUp,
    WorkDone,
    GivenUp,
    batch=40,
    max_attempts=5,
    on_death=given_up,
)
def insert_rows(events: Sequence[Event], session: Session) -> None:
    """One row per event; a poisonous event fails after its row is written."""
    session.execute(INSERT_ROWS, {"ids": arrays.uuids(event.id for event in events)})
    session.execute(ADD_TO_TALLY, {"count": len(events)})
    freeze_if_set()
    if any(isinstance(event, ChaosHappened) and event.poisonous for event in events):
        raise Poisoned


@external("chaos_call", ChaosHappened)
def call(event: Event, _services: Services, key: str) -> None:
    """One call outside per event."""
    provider().call("chaos_call", {event.id: key})


@external("chaos_batch", ChaosHappened, UserSignedUp, batch=40)
def call_for_many(events: Sequence[Event], _services: Services, keys: Sequence[str]) -> None:
    """One call outside for many events."""
    ids = [event.id for event in events]
    provider().call("chaos_batch", dict(zip(ids, keys, strict=True)))


@external("chaos_patient", ChaosHappened, batch=40)
def call_patiently(events: Sequence[Event], _services: Services, keys: Sequence[str]) -> None:
    """One call outside for many events, which waits for an answer that takes long."""
    ids = [event.id for event in events]
    by_id = dict(zip(ids, keys, strict=True))
    provider().call("chaos_patient", by_id, PATIENT_TIMEOUT)


@external("chaos_work", WorkAsked, concurrency=4, lease=SHORT_LEASE)
def work(event: WorkAsked, _services: Services, key: str) -> Event:
    """Outside work that takes longer than its lease, so the lease must be renewed."""
    time.sleep(event.seconds)
    provider().call("chaos_work", {event.id: key})
    return with_new_id(event.follow(WorkDone))


def with_new_id(event: Event) -> Event:
    """The event under a random id, so that publishing it a second time is not de-duplicated."""
    return event.model_copy(update={"id": uuid7()})
