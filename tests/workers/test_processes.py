"""Relay and workers as the separate processes that they are in production."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from events import PredictionMade
from runtime.assembly import Assembly
from runtime.environment import environment
from runtime.supervisor import insights_command
from tests.factories import publish_now

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest, assembly: Assembly) -> str:
    if request.param == "redis":
        return assembly.settings.redis
    url = os.getenv("TEST_AMQP_URL")
    if url is None:
        pytest.skip("TEST_AMQP_URL names no RabbitMQ")
    return url


@pytest.fixture
def start(assembly: Assembly, broker_url: str) -> Iterator[Start]:
    """Start processes of the product; they are killed at the end if they still run."""
    processes = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        surroundings = os.environ | environment(assembly.settings) | {"BROKER_URL": broker_url}
        processes.append(subprocess.Popen(insights_command(*arguments), env=surroundings))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def count(assembly: Assembly, query: str) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(text(query)) or 0)


def owed(assembly: Assembly) -> int:
    return count(assembly, "SELECT count(*) FROM insights.deliveries WHERE handler = 'usage'")


def publish_predictions(assembly: Assembly, user: UUID, number: int) -> None:
    publish_now(assembly, *(PredictionMade(user_id=user, model_id="m") for _ in range(number)))


def test_what_is_published_is_handled_and_sigterm_ends_everything_in_order(
    assembly: Assembly, user_id: UUID, start: Start
) -> None:
    relay, worker = start("relay"), start("worker", "--handlers", "usage")
    publish_predictions(assembly, user_id, 1500)

    until(lambda: owed(assembly) == 0)
    publish_predictions(assembly, user_id, 1)
    until(lambda: owed(assembly) == 0)

    for process in (relay, worker):
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    query = "SELECT predictions_this_month FROM public.usage_limits"
    assert count(assembly, query) == 1501


def test_a_killed_worker_loses_nothing_and_counts_nothing_twice(
    assembly: Assembly, user_id: UUID, start: Start
) -> None:
    start("relay")
    victim = start("worker", "--handlers", "usage")
    publish_predictions(assembly, user_id, 1500)
    until(lambda: owed(assembly) < 1500)
    victim.kill()
    victim.wait()
    assert count(assembly, "SELECT count(*) FROM insights.usage_ledger") + owed(assembly) == 1500

    start("worker", "--handlers", "usage")
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now() WHERE leased"))

    until(lambda: owed(assembly) == 0)
    assert count(assembly, "SELECT predictions_this_month FROM public.usage_limits") == 1500
