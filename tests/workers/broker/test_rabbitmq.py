"""The broker on RabbitMQ: what the relay needs of it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from events import uuid7
from tests.waiting import wait_until
from workers.broker.rabbitmq import RabbitmqDoorbellBroker


def message(queue: str) -> Message[Any]:
    return Message(queue_name=queue, actor_name=queue, args=(), kwargs={}, options={})


@pytest.fixture
def queue() -> str:
    return f"test_{uuid7().hex}"


@pytest.fixture
def broker(queue: str) -> Iterator[RabbitmqDoorbellBroker]:
    url = os.getenv("TEST_AMQP_URL")
    if url is None:
        pytest.skip("TEST_AMQP_URL names no RabbitMQ")
    broker = RabbitmqDoorbellBroker(url, {queue: 2})
    yield broker
    broker.channel.queue_delete(queue)
    broker.close()


def test_the_depth_of_a_queue_is_the_number_of_messages_that_wait(
    broker: RabbitmqDoorbellBroker, queue: str
) -> None:
    broker.send(queue, [message(queue), message(queue)])

    wait_until(lambda: broker.depths([queue]) == {queue: 2})  # it publishes asynchronously
    broker.flush(queue)
    assert broker.depths([queue]) == {queue: 0}


def test_a_connection_that_broke_is_opened_anew_for_the_next_question(
    broker: RabbitmqDoorbellBroker, queue: str
) -> None:
    broker.send(queue, [message(queue)])
    wait_until(lambda: broker.depths([queue]) == {queue: 1})
    broker.connection.close()

    with pytest.raises(ConnectionClosed):
        broker.depths([queue])

    assert broker.depths([queue]) == {queue: 1}


def test_a_rabbitmq_that_is_away_closes_the_connection() -> None:
    broker = RabbitmqDoorbellBroker("amqp://127.0.0.1:1?connection_attempts=1")

    for _ in range(2):
        with pytest.raises(ConnectionClosed):
            broker.depths(["emails"])
        with pytest.raises(ConnectionClosed):
            broker.send("emails", [message("emails")])
    broker.close()
