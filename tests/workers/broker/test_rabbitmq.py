"""The broker on RabbitMQ: what the relay needs of it."""

import os
from typing import Any

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed

from events import uuid7
from workers.broker.rabbitmq import RabbitmqDoorbellBroker


def message(queue: str) -> Message[Any]:
    return Message(queue_name=queue, actor_name=queue, args=(), kwargs={}, options={})


def test_the_depth_of_a_queue_is_the_number_of_messages_that_wait() -> None:
    url = os.getenv("TEST_AMQP_URL")
    if url is None:
        pytest.skip("TEST_AMQP_URL names no RabbitMQ")
    queue = f"test_{uuid7().hex}"
    broker = RabbitmqDoorbellBroker(url, {queue: 2})

    broker.send(queue, [message(queue), message(queue)])

    assert broker.depths([queue]) == {queue: 2}
    broker.flush(queue)
    assert broker.depths([queue]) == {queue: 0}
    broker.channel.queue_delete(queue)
    broker.close()


def test_a_rabbitmq_that_is_away_closes_the_connection() -> None:
    broker = RabbitmqDoorbellBroker("amqp://127.0.0.1:1?connection_attempts=1")

    for _ in range(2):
        with pytest.raises(ConnectionClosed):
            broker.depths(["emails"])
        with pytest.raises(ConnectionClosed):
            broker.send("emails", [message("emails")])
    broker.close()
