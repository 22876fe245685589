"""The relay leases what is due, and only that, and only as much as there is room for."""

import threading
from uuid import UUID

from prometheus_client import CollectorRegistry
from sqlalchemy import text

from events import publish, ring_after_commit
from models.connections import session_factory
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.pipeline import Pipeline, Queue
from tests.workers.doing import Doing, calling, writing
from workers.metrics import Metrics
from workers.relay import QUEUE_BOUND, Relay


def test_what_is_published_is_sent_in_batches_of_the_handlers_size(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(writing(Doing(), batch=10))
    publish_now(assembly, *predictions_made(25))

    sizes = [len(message.args[0]) for message in pipeline.lease()]

    assert sizes == [10, 10, 5]


def test_what_is_leased_is_not_sent_again_before_the_lease_ends(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(writing(Doing()))
    publish_now(assembly, *predictions_made(3))

    assert len(pipeline.lease()) == 1
    assert pipeline.lease() == []


def test_relay_sends_again_when_the_lease_ends_each_delivery_alone(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(writing(Doing()))
    publish_now(assembly, *predictions_made(3))
    pipeline.lease()
    pipeline.pass_time()

    again = pipeline.lease()

    assert [len(message.args[0]) for message in again] == [1, 1, 1]
    assert [message.args[1:3] for message in again] == [([2], True)] * 3


def test_a_message_that_got_lost_costs_no_attempt(assembly: Assembly, pipeline: Pipeline) -> None:
    doing = Doing()
    pipeline.follow(writing(doing, max_attempts=1))
    publish_now(assembly, *predictions_made())
    for _ in range(5):
        pipeline.lease()
        pipeline.pass_time()

    pipeline.work()

    assert len(doing.seen) == 1
    assert pipeline.owed() == []


def test_relay_leaves_in_the_table_what_the_queue_has_no_room_for(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    class Full(Queue):
        def depths(self, _queue_names: object) -> dict[str, int]:
            return {"writing": QUEUE_BOUND}

    pipeline.follow(writing(Doing(), batch=2))
    publish_now(assembly, *predictions_made(QUEUE_BOUND * 2 + 10))
    relay = Relay(assembly.engine, Full(), pipeline.handlers, Metrics(CollectorRegistry()))
    for _ in range(20):
        relay.relay()

    assert sum(not row.leased for row in pipeline.owed()) == 10


def test_two_relays_never_lease_the_same_delivery(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(writing(Doing(), batch=5))
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


def test_a_paused_handler_stands_in_nobodys_way(assembly: Assembly, pipeline: Pipeline) -> None:
    paused, other = Doing(), Doing()
    pipeline.follow(writing(paused), calling(other))
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET paused = name = 'writing'"))
    publish_now(assembly, *predictions_made(30))

    pipeline.work()

    assert len(other.seen) == 30
    assert paused.seen == []
    assert {row.handler for row in pipeline.owed()} == {"writing"}


def test_the_doorbell_rings_after_a_commit_that_published_and_only_then(
    assembly: Assembly,
) -> None:
    rings: list[str] = []
    sessions = session_factory(assembly.engine)
    ring_after_commit(sessions, lambda: rings.append("ring"))
    with sessions() as session:
        publish(session, *predictions_made())
        session.rollback()
        session.execute(text("SELECT 1"))
        session.commit()
        assert rings == []
        publish(session, *predictions_made())
        assert rings == []
        session.commit()
    assert rings == ["ring"]


def test_a_rolled_back_publish_leaves_nothing(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(writing(Doing()))
    with assembly.sessions() as session:
        publish(session, *predictions_made(3))
        session.rollback()

    assert pipeline.owed() == []


def test_ids_of_published_events_tell_which_were_new(assembly: Assembly) -> None:
    first, second = predictions_made(2)

    assert publish_now(assembly, first) == {first.id}
    new: set[UUID] = publish_now(assembly, first, second)
    assert new == {second.id}
