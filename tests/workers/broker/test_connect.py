"""The scheme of a URL decides the broker, and handlers how much is consumed at once."""

import pytest

from tests.fake_handlers import FakeEffect, external_handler
from workers.broker.connect import make_broker
from workers.broker.rabbitmq import RabbitmqDoorbellBroker
from workers.broker.redis import RedisDoorbellBroker


@pytest.mark.parametrize(
    ("url", "class_"),
    [
        ("redis://127.0.0.1:1/0", RedisDoorbellBroker),
        ("rediss://127.0.0.1:1/0", RedisDoorbellBroker),
        ("unix:///no/such/socket", RedisDoorbellBroker),
        ("amqp://127.0.0.1:1", RabbitmqDoorbellBroker),
        ("amqps://127.0.0.1:1", RabbitmqDoorbellBroker),
    ],
)
def test_the_scheme_decides_and_nothing_is_connected_yet(url: str, class_: type) -> None:
    handler = external_handler(FakeEffect(), "emails", concurrency=7)

    broker = make_broker(url, [handler])

    assert type(broker) is class_
    assert broker.concurrency == {"emails": 7}
    broker.close()
