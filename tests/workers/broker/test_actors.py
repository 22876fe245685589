"""A message and the batch that it stands for, and the actor that hears it."""

import time
from typing import Any

from dramatiq import Message
from dramatiq.brokers.stub import StubBroker

from events import uuid7
from handlers import Handler
from models.deliveries.lease import Lease, LeasedBatch
from tests.fake_handlers import FakeEffect, external_handler
from workers.batch import Batch
from workers.broker.actors import batch_of, declare_actor, message_of

LEASES = [Lease(uuid7().hex, token) for token in (1, 4, 9)]
LEASED = LeasedBatch("external", began_before=True, probe=False, setbacks=2, leases=LEASES)


def test_a_message_comes_back_over_the_wire_as_the_batch_that_it_stands_for() -> None:
    before = time.time()

    message = message_of(LEASED, LEASES[1:])
    batch = batch_of(Message.decode(message.encode()))

    assert (message.queue_name, message.actor_name) == ("external", "external")
    assert batch.leases == LEASES[1:]
    assert (batch.began_before, batch.probe) == (True, False)
    assert batch.sent_at is not None
    assert before <= batch.sent_at <= time.time()


class RecordingRunner:
    def __init__(self) -> None:
        self.ran: list[tuple[Handler, Batch]] = []

    def run(self, handler: Handler, batch: Batch) -> None:
        self.ran.append((handler, batch))


def test_the_actor_runs_its_handler_on_the_same_batch() -> None:
    runner: Any = RecordingRunner()
    broker = StubBroker(middleware=[])
    handler = external_handler(FakeEffect())
    declare_actor(handler, runner, broker)
    message = Message.decode(message_of(LEASED, LEASES).encode())

    broker.get_actor(handler.name)(*message.args, **message.kwargs)

    assert runner.ran == [(handler, batch_of(message))]
    assert broker.get_declared_queues() >= {handler.name}


def test_a_message_of_an_older_relay_without_a_time_is_understood() -> None:
    runner: Any = RecordingRunner()
    broker = StubBroker(middleware=[])
    declare_actor(external_handler(FakeEffect()), runner, broker)
    message = message_of(LEASED, LEASES)

    broker.get_actor("external")(*message.args)

    ((_, batch),) = runner.ran
    assert (batch.leases, batch.sent_at) == (LEASES, None)
