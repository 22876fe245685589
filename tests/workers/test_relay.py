"""The relay rings for what is due, once per batch, and only as much as there is room for."""

import threading
import time
from uuid import UUID

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler, transactional_handler
from tests.pipeline import Pipeline, Queue
from tests.waiting import wait_until
from workers.metrics import Metrics
from workers.relay import QUEUE_BOUND, Relay


def a_relay(pipeline: Pipeline, queue: Queue | None = None) -> Relay:
    """A relay that remembers what it rang for, unlike the one of Pipeline.rung."""
    metrics = Metrics(CollectorRegistry())
    return Relay(pipeline.assembly.engine, queue or pipeline.queue, pipeline.handlers, metrics)


def broker_is_away(*_: object) -> None:
    raise ConnectionClosed(Exception("x"))  # type: ignore[no-untyped-call]


def test_a_bell_is_rung_for_each_batch_that_is_due(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(transactional_handler(FakeEffect(), batch=10))
    publish_now(assembly, *predictions_made(25))

    assert pipeline.rung() == ["transactional"] * 3


def test_a_bell_carries_no_ids(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    publish_now(assembly, *predictions_made())
    pipeline.rung()

    (message,) = map(Message.decode, pipeline.queue.messages)

    assert (message.args, set(message.kwargs)) == ((), {"sent_at"})


def test_what_was_rung_for_is_rung_for_again_only_when_nobody_took_it(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    publish_now(assembly, *predictions_made(3))
    relay = a_relay(pipeline)

    assert [relay.relay(), relay.relay()] == [1, 0]
    publish_now(assembly, *predictions_made())
    assert [relay.relay(), relay.relay()] == [1, 0]

    relay.rung["transactional"].at -= 2  # seconds ago
    assert relay.relay() == 1


def test_what_comes_back_from_a_failure_is_rung_for(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    publish_now(assembly, *predictions_made())
    relay = a_relay(pipeline)
    relay.relay()
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now(), attempts = 1"))

    assert [relay.relay(), relay.relay()] == [1, 0]


def test_bells_of_what_an_open_transaction_holds_are_not_rung(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    rung: list[list[str]] = []
    pipeline.follow(
        transactional_handler(FakeEffect(lambda _events: rung.append(pipeline.rung())), batch=10)
    )
    publish_now(assembly, *predictions_made(9))

    pipeline.answer("transactional")

    assert rung == [[]]


def test_the_relay_leaves_in_the_table_what_the_queue_has_no_room_for(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    class FullQueue(Queue):
        def depths(self, _queue_names: object) -> dict[str, int]:
            return {"transactional": len(self.messages)}

    pipeline.follow(transactional_handler(FakeEffect(), batch=2))
    publish_now(assembly, *predictions_made(QUEUE_BOUND * 2 + 10))
    queue = FullQueue()
    relay = a_relay(pipeline, queue)
    for _ in range(20):
        relay.relay()
        relay.rung["transactional"].at -= 2

    assert len(queue.messages) == QUEUE_BOUND


def test_a_paused_handler_does_not_keep_others_waiting(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    paused, other = FakeEffect(), FakeEffect()
    pipeline.follow(transactional_handler(paused), external_handler(other))
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET paused = name = 'transactional'"))
    publish_now(assembly, *predictions_made(30))

    pipeline.work()

    assert len(other.seen) == 30
    assert paused.seen == []
    assert {row.handler for row in pipeline.owed()} == {"transactional"}


def test_a_broker_that_was_away_is_rung_when_it_is_back(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    publish_now(assembly, *predictions_made(3))
    relay = a_relay(pipeline)
    with monkeypatch.context() as broken:
        broken.setattr(pipeline.queue, "send", broker_is_away)
        for _ in range(3):
            with pytest.raises(ConnectionClosed):
                relay.relay()

    assert relay.relay() == 1
    assert {row.leases for row in pipeline.owed()} == {0}


def test_the_relay_passes_when_the_bell_rings_and_stops_when_asked(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing but the bell makes it look again within the time of this test.
    monkeypatch.setattr("workers.relay.SHORTEST_WAIT", 60.0)
    monkeypatch.setattr("workers.relay.LONGEST_WAIT", 60.0)
    sent = threading.Event()

    class NoticingQueue(Queue):
        def send(self, *_: object) -> None:
            sent.set()

    pipeline.follow(transactional_handler(FakeEffect()))
    relay = Relay(assembly.engine, NoticingQueue(), pipeline.handlers, pipeline.metrics)
    bell, stopped = threading.Event(), threading.Event()
    thread = threading.Thread(target=relay.run, args=(bell, stopped))
    thread.start()

    publish_now(assembly, *predictions_made())
    bell.set()
    assert sent.wait(10)
    stopped.set()
    bell.set()
    thread.join(10)

    assert not thread.is_alive()


def test_what_is_published_in_plain_sql_is_found_without_a_ring(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    relay = a_relay(pipeline)
    bell, stopped = threading.Event(), threading.Event()
    running = threading.Thread(target=relay.run, args=(bell, stopped))
    running.start()
    stopped.wait(1)  # until it looks as seldom as it ever does
    with assembly.engine.begin() as connection:
        sql = "SELECT publish_event('prediction.made', '{\"model_id\": \"m\"}', :user)"
        connection.execute(text(sql), {"user": user_id})
    committed = time.monotonic()
    wait_until(lambda: bool(pipeline.queue.messages))
    found_after = time.monotonic() - committed
    stopped.set()
    bell.set()
    running.join()

    assert found_after < 0.6
