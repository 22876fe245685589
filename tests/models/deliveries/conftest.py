"""Deliveries of one external handler: due, or claimed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from models.deliveries.claim import claim
from models.deliveries.take import TakenDelivery
from models.handlers.table import remove
from models.providers import switch_on
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler, transactional_handler
from tests.pipeline import Pipeline

HANDLER = "external"
LEASE = external_handler(FakeEffect()).lease
IN_ORDER = text("""
    SELECT event_id FROM insights.deliveries
    WHERE event_id = ANY (CAST(:ids AS uuid[])) ORDER BY seq
""")
Due = Callable[[int], Sequence[UUID]]
Claimed = Callable[[int], Sequence[TakenDelivery]]
Row = Callable[[UUID], Any]
Change = Callable[..., None]


@pytest.fixture
def due(assembly: Assembly, pipeline: Pipeline, connection: Connection) -> Due:
    """Have the handler owe so many new events; return their ids, in the order of `seq`."""
    pipeline.follow(external_handler(FakeEffect(), HANDLER))

    def publish(count: int) -> Sequence[UUID]:
        new = publish_now(assembly, *predictions_made(count))
        return connection.scalars(IN_ORDER, {"ids": list(new)}).all()

    return publish


@pytest.fixture
def claimed(due: Due, connection: Connection) -> Claimed:
    """Have the handler owe so many new events, and claim them."""

    def claim_all(count: int) -> Sequence[TakenDelivery]:
        due(count)
        return claim(connection, HANDLER, count, LEASE)

    return claim_all


@pytest.fixture
def row(connection: Connection) -> Row:
    """The delivery of an event; `wait` is in how many seconds it is due, None: at once."""
    query = text("""
        SELECT *, extract(epoch FROM due_at - now())::float AS wait
        FROM insights.deliveries WHERE event_id = :id
    """)

    def read(event_id: UUID) -> Any:
        return connection.execute(query, {"id": event_id}).one()

    return read


@pytest.fixture
def change(connection: Connection) -> Change:
    """Set columns of the deliveries of some events; without ids, of all."""

    def update(assignment: str, *ids: UUID) -> None:
        which = "WHERE event_id = ANY (CAST(:ids AS uuid[]))" if ids else ""
        statement = text(f"UPDATE insights.deliveries SET {assignment} {which}")
        connection.execute(statement, {"ids": list(ids)} if ids else {})

    return update


@pytest.fixture
def publish(pipeline: Pipeline, assembly: Assembly) -> Iterator[Callable[[], UUID]]:
    """Publish an event that `last` does after `first` and `second`; return its id."""
    pipeline.follow(
        external_handler(FakeEffect(), "first", provider="loops"),
        transactional_handler(FakeEffect(), "second"),
        external_handler(FakeEffect(), "last", after=["first", "second"]),
    )
    with assembly.engine.begin() as connection:
        switch_on(connection, "loops")

    def one() -> UUID:
        (event,) = predictions_made()
        publish_now(assembly, event)
        return event.id

    yield one
    with assembly.engine.begin() as connection:
        for name in ("first", "second", "last"):
            remove(connection, name)
