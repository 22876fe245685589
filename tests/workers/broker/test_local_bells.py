"""Bells that a process rings for itself wait in its own queue, and not without end."""

from typing import Any

from dramatiq.brokers.stub import StubBroker
from dramatiq.worker import Worker

from tests.fake_handlers import FakeEffect, external_handler
from workers.broker.actors import declare_actor
from workers.broker.local_bells import MOST, LocalBells


def test_while_no_thread_is_free_bells_do_not_pile_up() -> None:
    broker = StubBroker(middleware=[])
    worker = Worker(broker)
    bells = LocalBells(worker)
    nobody: Any = None  # no thread runs the actor
    declare_actor(external_handler(FakeEffect()), nobody, broker)

    for _ in range(3 * MOST):
        bells.ring("external")

    assert worker.work_queue.qsize() == MOST
