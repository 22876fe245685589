"""Deliveries of one external handler, due or leased."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from models.deliveries.lease import Lease
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline
from workers.broker.actors import batch_of

HANDLER = "external"
Leased = Callable[[int], list[Lease]]
Row = Callable[[UUID], Any]


@pytest.fixture
def due(assembly: Assembly, pipeline: Pipeline) -> Callable[[int], Sequence[UUID]]:
    """Have the handler owe so many new events; return their ids."""
    pipeline.follow(external_handler(FakeEffect(), HANDLER))

    def publish(count: int) -> Sequence[UUID]:
        events = predictions_made(count)
        publish_now(assembly, *events)
        return [event.id for event in events]

    return publish


@pytest.fixture
def leased(due: Callable[[int], Sequence[UUID]], pipeline: Pipeline) -> Leased:
    """Have the handler owe so many new events, and lease them in one batch."""

    def lease(count: int) -> list[Lease]:
        due(count)
        (message,) = pipeline.lease()
        return list(batch_of(message).leases)

    return lease


@pytest.fixture
def row(connection: Connection) -> Row:
    """The delivery of an event; `wait` is in how many seconds it is due."""
    query = text("""
        SELECT *, extract(epoch FROM due_at - now())::float AS wait
        FROM insights.deliveries WHERE event_id = :id
    """)

    def read(event_id: UUID) -> Any:
        return connection.execute(query, {"id": event_id}).one()

    return read
