"""Something on the way to PostgreSQL swallows what is sent, and acknowledges it."""

import os
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
from settings import Settings
from tests.factories import libpq_url, publish_now
from tests.freezing_proxy import FreezingProxy
from tests.waiting import wait_until

IN_TIME = 45.0  # seconds for a process to start, and to work again after a freeze
OWED = text("SELECT count(*) FROM insights.delivery_states WHERE handler = 'usage'")
RELAY, WORKER = ["relay"], ["worker", "--handlers", "usage"]
Start = Callable[[list[str], FreezingProxy | None, float], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(assembly: Assembly) -> Iterator[Start]:
    """Start a process that gives up a silent connection after so many seconds."""
    processes = []

    def start(
        command: list[str], proxy: FreezingProxy | None, answer: float
    ) -> "subprocess.Popen[bytes]":
        settings: Settings = assembly.settings
        if proxy is not None:
            settings = settings.model_copy(update={"database_url": proxy.url})
        times = {"DATABASE_ANSWER_SECONDS": str(answer), "LOCK_SECONDS": str(answer / 2)}
        variables = os.environ | environment(settings) | times
        processes.append(subprocess.Popen(insights_command(*command), env=variables))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def proxies(assembly: Assembly) -> Iterator[list[FreezingProxy]]:
    made = [FreezingProxy(libpq_url(assembly.settings)) for _ in range(2)]
    yield made
    for proxy in made:
        proxy.close()


def publish(assembly: Assembly, user_id: UUID) -> None:
    publish_now(assembly, PredictionMade(user_id=user_id, model_id="m"))


def owed(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(OWED) or 0)


def test_relay_and_worker_give_the_connection_up_and_go_on(
    assembly: Assembly, user_id: UUID, start: Start, proxies: list[FreezingProxy]
) -> None:
    for command, proxy in zip((RELAY, WORKER), proxies, strict=True):
        start(command, proxy, 1)
    publish(assembly, user_id)
    wait_until(lambda: not owed(assembly), IN_TIME)
    for proxy in proxies:
        proxy.freeze()

    publish(assembly, user_id)
    wait_until(lambda: not owed(assembly), IN_TIME)

    assert all(proxy.frozen for proxy in proxies)


@pytest.mark.parametrize("command", [RELAY, WORKER], ids=["relay", "worker"])
def test_a_process_that_waits_for_an_answer_ends_within_ten_seconds(
    command: list[str],
    assembly: Assembly,
    user_id: UUID,
    start: Start,
    proxies: list[FreezingProxy],
) -> None:
    (other,) = (each for each in (RELAY, WORKER) if each != command)
    start(other, None, 30)
    process = start(command, proxies[0], 30)
    publish(assembly, user_id)
    wait_until(lambda: not owed(assembly), IN_TIME)
    proxies[0].freeze()
    publish(assembly, user_id)
    wait_until(lambda: proxies[0].frozen > 0)
    began = time.monotonic()

    process.terminate()

    assert process.wait(15) == 0
    assert time.monotonic() - began < 10
