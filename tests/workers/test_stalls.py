"""What is slow or frozen stops nobody else, and what goes on goes on in full batches."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, text

from events import Event, PredictionMade, UserSignedUp, uuid7
from models.connections import TransactionTimeouts, connect
from models.deliveries.take import take
from models.handlers import table as handler_table
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now, sign_up
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline

LEASES_RUN_OUT = text("UPDATE insights.deliveries SET due_at = now() - interval '1 s' WHERE leased")


def test_a_provider_slower_than_its_lease_gets_full_batches_to_the_end(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    both_run = Barrier(2, timeout=20)

    def slow(_events: Sequence[Event]) -> None:
        both_run.wait()
        with assembly.engine.begin() as connection:
            connection.execute(LEASES_RUN_OUT)
        both_run.wait()

    effect = FakeEffect(slow)
    pipeline.follow(external_handler(effect, batch=50, concurrency=2))
    events = predictions_made(800)
    publish_now(assembly, *events)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(pipeline.answer, ["external"] * 2))

    assert [len(call) for call in effect.calls] == [50] * 16
    assert sorted(effect.seen) == sorted(event.id for event in events)
    assert pipeline.owed() == []


@contextmanager
def frozen(assembly: Assembly, hold: Callable[[Connection], Any]) -> Iterator[Connection]:
    """A process that stops in the middle of a transaction, which the server ends after a moment."""
    timeouts = TransactionTimeouts(idle=0.5)
    engine = connect(assembly.settings.postgres_url, size=1, timeouts=timeouts)
    with engine.connect() as connection:
        transaction = connection.begin()
        hold(connection)
        yield connection
        with pytest.raises(Exception, match="idle-in-transaction"):
            connection.execute(text("SELECT 1"))
        transaction.close()
    engine.dispose()


def test_a_worker_frozen_after_counting_stops_nobody_and_harms_nothing(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    user = sign_up(assembly)
    publish_now(assembly, *(PredictionMade(user_id=user, model_id="m") for _ in range(10)))

    def count(connection: Connection) -> None:
        assert len(take(connection, "usage", 5)) == 5
        connection.execute(text("SELECT increment_usage(:u, 'predictions', 5)"), {"u": user})

    with frozen(assembly, count):
        pipeline.answer("usage")
    pipeline.work()

    with assembly.engine.connect() as connection:
        query = "SELECT predictions_this_month FROM public.usage_limits"
        assert connection.scalar(text(query)) == 10


def test_a_process_frozen_with_the_row_of_a_handler_keeps_work_from_nobody(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect()
    pipeline.follow(external_handler(effect))
    publish_now(assembly, *predictions_made(3))

    with assembly.engine.begin() as holder:
        holder.execute(text("SELECT FROM insights.handlers FOR UPDATE"))
        pipeline.work()
        assert len(effect.seen) == 3


def test_a_pause_waits_for_a_frozen_process_and_is_not_lost(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect()
    pipeline.follow(external_handler(effect))

    def hold(connection: Connection) -> None:
        connection.execute(text("SELECT FROM insights.handlers FOR UPDATE"))

    with frozen(assembly, hold), assembly.engine.begin() as connection:
        assert handler_table.pause(connection, "external")
    publish_now(assembly, *predictions_made(3))
    pipeline.work()

    assert effect.calls == []


def test_what_waits_for_a_paused_handler_costs_nothing(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    waits = FakeEffect()
    pipeline.follow(
        external_handler(FakeEffect(), "first"), external_handler(waits, "second", after=("first",))
    )
    with assembly.engine.begin() as connection:
        handler_table.pause(connection, "first")
    publish_now(assembly, *predictions_made(5_000))
    versions = "SELECT xmin::text, ctid::text, leases FROM insights.deliveries ORDER BY ctid"
    with assembly.engine.connect() as connection:
        before = connection.execute(text(versions)).all()

    for _ in range(5):
        assert pipeline.rung() == []
        for name in pipeline.handlers:
            pipeline.answer(name)
        pipeline.pass_time()

    with assembly.engine.connect() as connection:
        assert connection.execute(text(versions)).all() == before
    assert waits.calls == []

    with assembly.engine.begin() as connection:
        handler_table.resume(connection, "first")
    pipeline.work()
    assert len(waits.seen) == 5_000


def test_the_products_own_handlers_wait_for_those_that_write_what_they_read(
    assembly_with_doubles: Assembly, pipeline_with_doubles: Pipeline
) -> None:
    user = UserSignedUp(user_id=uuid7(), email="ada@example.com", name="Ada")
    publish_now(assembly_with_doubles, user)

    waiting = {row.handler for row in pipeline_with_doubles.owed() if row.waits_for}

    assert waiting == {"cache", "contacts", "analytics"}
    pipeline_with_doubles.work()
    assert pipeline_with_doubles.owed() == []
