"""The broker on Redis lists: what is sent is consumed once, and no more than there are places."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from runtime.assembly import Assembly
from workers.broker.redis import RedisDoorbellBroker, RedisDoorbellConsumer

QUEUE = "external"


@pytest.fixture
def broker(assembly: Assembly) -> Iterator[RedisDoorbellBroker]:
    broker = RedisDoorbellBroker(assembly.settings.redis, {QUEUE: 2})
    broker.declare_queue(QUEUE)
    yield broker
    broker.close()


def message(number: int) -> Message[Any]:
    return Message(queue_name=QUEUE, actor_name=QUEUE, args=(number,), kwargs={}, options={})


def consume(broker: RedisDoorbellBroker) -> RedisDoorbellConsumer:
    consumer = broker.consume(QUEUE, timeout=20)
    assert isinstance(consumer, RedisDoorbellConsumer)
    return consumer


def numbers(consumer: RedisDoorbellConsumer) -> list[int]:
    """What a consumer hands out until it has nothing more, or no free place."""
    found = []
    while (proxy := next(consumer)) is not None:
        found.append(proxy.args[0])
    return found


def test_messages_are_consumed_in_order_and_once(broker: RedisDoorbellBroker) -> None:
    first, second = consume(broker), consume(broker)
    broker.send(QUEUE, [message(1), message(2)])

    assert numbers(first) == [1, 2]
    assert numbers(second) == []
    assert broker.depths([QUEUE]) == {QUEUE: 0}


def test_a_consumer_takes_no_more_than_its_handler_runs_at_once(
    broker: RedisDoorbellBroker,
) -> None:
    consumer = consume(broker)
    broker.send(QUEUE, [message(number) for number in range(5)])

    first, second = next(consumer), next(consumer)

    assert first is not None
    assert second is not None
    assert next(consumer) is None
    assert broker.depths([QUEUE]) == {QUEUE: 3}
    consumer.ack(first)
    consumer.nack(second)
    assert numbers(consumer) == [2, 3]


def test_a_ring_wakes_a_consumer_that_would_not_look_by_itself(
    broker: RedisDoorbellBroker,
) -> None:
    consumer = consume(broker)
    assert next(consumer) is None  # the first look; the next by itself is minutes away
    found = threading.Event()

    def wait_for_a_message() -> None:
        for _ in range(500):
            if next(consumer) is not None:
                found.set()
                return

    thread = threading.Thread(target=wait_for_a_message)
    thread.start()
    broker.send(QUEUE, [message(1)])
    thread.join()

    assert found.is_set()


def test_what_was_taken_and_not_begun_is_given_back(broker: RedisDoorbellBroker) -> None:
    consumer = consume(broker)
    broker.send(QUEUE, [message(1), message(2)])
    begun = next(consumer)
    assert begun is not None

    consumer.close()
    assert broker.depths([QUEUE]) == {QUEUE: 1}
    consumer.requeue([begun])

    assert numbers(consume(broker)) == [2, 1]


def test_a_flush_forgets_all_messages(broker: RedisDoorbellBroker) -> None:
    broker.send(QUEUE, [message(1)])

    broker.flush_all()

    assert broker.depths([QUEUE]) == {QUEUE: 0}


def test_a_delay_is_refused_since_due_at_is_the_schedule(broker: RedisDoorbellBroker) -> None:
    with pytest.raises(ValueError, match="due_at"):
        broker.enqueue(message(1), delay=1_000)
    broker.enqueue(message(1))

    assert broker.depths([QUEUE]) == {QUEUE: 1}


def test_a_redis_that_is_away_closes_the_connection_for_senders_alone() -> None:
    broker = RedisDoorbellBroker("redis://127.0.0.1:1/0", {QUEUE: 2})
    broker.declare_queue(QUEUE)
    with pytest.raises(ConnectionClosed):
        broker.send(QUEUE, [message(1)])
    with pytest.raises(ConnectionClosed):
        broker.depths([QUEUE])

    assert next(consume(broker)) is None  # a consumer asks again later

    broker.close()
