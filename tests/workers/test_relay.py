"""The relay leases what is due, only that, and only as much as there is room for."""

import threading
import time
from uuid import UUID

import pytest
from dramatiq.errors import ConnectionClosed
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from models.deliveries.lease import Lease, LeasedBatch
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler, transactional_handler
from tests.pipeline import Pipeline, Queue
from tests.waiting import wait_until
from workers.broker.actors import batch_of
from workers.metrics import Metrics
from workers.relay import QUEUE_BOUND, Relay, parts


def broker_is_away(*_: object) -> None:
    raise ConnectionClosed(Exception("x"))  # type: ignore[no-untyped-call]


def test_what_is_published_is_sent_in_batches_of_the_handlers_size(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(transactional_handler(FakeEffect(), batch=10))
    publish_now(assembly, *predictions_made(25))

    sizes = [len(batch_of(message).leases) for message in pipeline.lease()]

    assert sizes == [10, 10, 5]


@pytest.mark.parametrize(("setbacks", "size"), [(0, 500), (1, 62), (2, 7), (3, 1), (9, 1)])
def test_parts_shrink_with_each_setback(setbacks: int, size: int) -> None:
    leases = [Lease(f"{number:032x}", 1) for number in range(500)]
    leased = LeasedBatch(
        "emails", began_before=False, probe=False, setbacks=setbacks, leases=leases
    )

    split = list(parts(leased, 500))

    assert len(split[0]) == size
    assert [lease for part in split for lease in part] == leases


def test_what_is_leased_is_not_sent_again_before_the_lease_ends(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    publish_now(assembly, *predictions_made(3))

    assert len(pipeline.lease()) == 1
    assert pipeline.lease() == []


def test_the_relay_sends_each_delivery_alone_when_its_lease_ended_without_an_outcome(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    publish_now(assembly, *predictions_made(3))
    pipeline.lease()
    pipeline.pass_time()

    again = [batch_of(message) for message in pipeline.lease()]

    assert [[lease.token for lease in batch.leases] for batch in again] == [[2]] * 3
    assert all(batch.began_before for batch in again)


def test_a_message_that_got_lost_costs_no_attempt(assembly: Assembly, pipeline: Pipeline) -> None:
    effect = FakeEffect()
    pipeline.follow(transactional_handler(effect, max_attempts=1))
    publish_now(assembly, *predictions_made())
    for _ in range(5):
        pipeline.lease()
        pipeline.pass_time()

    pipeline.work()

    assert len(effect.seen) == 1
    assert pipeline.owed() == []


def test_the_relay_leaves_in_the_table_what_the_queue_has_no_room_for(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    class FullQueue(Queue):
        def depths(self, _queue_names: object) -> dict[str, int]:
            return {"transactional": QUEUE_BOUND}

    pipeline.follow(transactional_handler(FakeEffect(), batch=2))
    publish_now(assembly, *predictions_made(QUEUE_BOUND * 2 + 10))
    relay = Relay(assembly.engine, FullQueue(), pipeline.handlers, Metrics(CollectorRegistry()))
    for _ in range(20):
        relay.relay()

    assert sum(not row.leased for row in pipeline.owed()) == 10


def test_two_relays_never_lease_the_same_delivery(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(transactional_handler(FakeEffect(), batch=5))
    publish_now(assembly, *predictions_made(200))
    queues = [Queue(), Queue()]

    def relay(queue: Queue) -> None:
        relay = Relay(assembly.engine, queue, pipeline.handlers, Metrics(CollectorRegistry()))
        while relay.relay():
            pass

    threads = [threading.Thread(target=relay, args=(queue,)) for queue in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [row.leases for row in pipeline.owed()] == [1] * 200


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


def test_a_broker_that_is_away_does_not_hide_that_a_process_may_have_been_killed(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.follow(transactional_handler(FakeEffect(), batch=100))
    publish_now(assembly, *predictions_made(3))
    pipeline.lease()
    pipeline.pass_time()
    with monkeypatch.context() as broken:
        broken.setattr(pipeline.queue, "send", broker_is_away)
        with pytest.raises(ConnectionClosed):
            pipeline.relay.relay()

    batches = [batch_of(message) for message in pipeline.lease()]

    assert [len(batch.leases) for batch in batches] == [1, 1, 1]
    assert all(batch.began_before for batch in batches)


def test_a_broker_that_was_away_is_asked_before_anything_is_leased_for_it(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.follow(transactional_handler(FakeEffect()))
    publish_now(assembly, *predictions_made(3))
    for name in ("send", "depths"):
        monkeypatch.setattr(pipeline.queue, name, broker_is_away)
    for _ in range(5):
        with pytest.raises(ConnectionClosed):
            pipeline.relay.relay()

    assert {row.leases for row in pipeline.owed()} == {1}


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
    bell, stopped = threading.Event(), threading.Event()
    running = threading.Thread(target=pipeline.relay.run, args=(bell, stopped))
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
