"""A bell says only for which handler there is work, and its actor runs that handler."""

import time
from typing import Any

from dramatiq import Message
from dramatiq.brokers.stub import StubBroker

from handlers import Handler
from tests.fake_handlers import FakeEffect, external_handler
from workers.broker.actors import bell_for, declare_actor


class RecordingRunner:
    def __init__(self) -> None:
        self.ran: list[tuple[Handler, float | None]] = []

    def run(self, handler: Handler, sent_at: float | None = None) -> None:
        self.ran.append((handler, sent_at))


def hear(handler: Handler, *content: object, **options: object) -> RecordingRunner:
    """Have a handler's actor hear a message; return what was run."""
    runner: Any = RecordingRunner()
    broker = StubBroker(middleware=[])
    declare_actor(handler, runner, broker)
    assert broker.get_declared_queues() >= {handler.name}
    broker.get_actor(handler.name)(*content, **options)
    recorded: RecordingRunner = runner
    return recorded


def test_a_bell_carries_nothing_but_when_it_was_sent() -> None:
    before = time.time()

    bell: Message[Any] = Message.decode(bell_for("external").encode())

    assert (bell.queue_name, bell.actor_name) == ("external", "external")
    assert not bell.args
    assert not bell.options
    assert set(bell.kwargs) == {"sent_at"}
    assert before <= bell.kwargs["sent_at"] <= time.time()


def test_the_actor_runs_its_handler_when_it_hears_a_bell() -> None:
    handler = external_handler(FakeEffect())
    bell = bell_for(handler.name)

    runner = hear(handler, *bell.args, **bell.kwargs)

    assert runner.ran == [(handler, bell.kwargs["sent_at"])]


def test_a_message_of_another_release_is_a_bell_whatever_it_carries() -> None:
    """Before, a message named deliveries and their tokens."""
    handler = external_handler(FakeEffect())
    leases = [["0192f0c1a0007000a000000000000001", 4]]

    runner = hear(handler, leases, True, False, at=[1], more="of a newer release")

    assert runner.ran == [(handler, None)]
