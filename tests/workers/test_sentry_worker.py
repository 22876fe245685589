"""A worker process tells Sentry all it has to tell before it ends."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pydantic import SecretStr
from sandbox.server import SandboxServer
from services.redis.doorbell import channel_of, queue_bell

from events import UserSignedUp, uuid7
from runtime.assembly import Assembly
from runtime.environment import environment
from runtime.supervisor import insights_command
from tests.doubles import Doubles
from tests.factories import publish_now
from tests.workers.test_processes import count, until

DEAD = "SELECT count(*) FROM insights.deliveries WHERE died_at IS NOT NULL"


@pytest.fixture
def silent() -> Iterator[SandboxServer]:
    """A double of Sentry that answers nobody before it runs: what comes meanwhile waits."""
    server = SandboxServer()
    yield server
    server.stop()
    server.listening.close()


def test_what_failed_just_before_the_end_is_still_reported(
    assembly: Assembly, doubles: Doubles, silent: SandboxServer
) -> None:
    doubles.set_fault("loops", "status", status=400)
    dsn = SecretStr(f"{silent.url.replace('//', '//key@')}/sentry/1")
    told = doubles.settings(assembly.settings).model_copy(
        update={"sentry_dsn": dsn, "sentry_traces_sample_rate": 0.0}
    )
    surroundings = os.environ | environment(told)
    both = [UserSignedUp(user_id=uuid7(), email=f"{name}@example.com") for name in "ab"]
    publish_now(assembly, *both)
    names = "profiles,emails_awaited"
    relay = subprocess.Popen(insights_command("relay"), env=surroundings)
    worker = subprocess.Popen(insights_command("worker", "--handlers", names), env=surroundings)
    answering = threading.Thread(target=silent.run)
    try:
        until(lambda: count(assembly, DEAD) == 2)
        worker.send_signal(signal.SIGTERM)
        channel = channel_of(queue_bell("emails_awaited"))
        until(lambda: not assembly.redis.pubsub_numsub(channel)[0][1])
        # Whoever does not wait for Sentry is gone by then.
        with suppress(subprocess.TimeoutExpired):
            worker.wait(0.5)
        answering.start()
        assert worker.wait(20) == 0
    finally:
        for process in (relay, worker):
            process.kill()
            process.wait()
    silent.stop()
    answering.join()

    reports = silent.providers.sentry.of_type("event")
    assert {each["contexts"]["delivery"]["id"] for each in reports} == {str(e.id) for e in both}
