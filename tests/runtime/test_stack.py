"""The whole product, supervised, as `insights up` runs it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from events import PredictionMade, UserSignedUp, uuid7
from runtime import stack as module
from runtime.stack import NotReady, Stack, running_stack, wait_until_ready
from settings import Settings
from tests.factories import Servers, new_database
from tests.waiting import is_running, wait_until

USED = text("SELECT predictions_this_month FROM public.usage_limits WHERE user_id = :user")


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> Iterator[Settings]:
    """An empty database, and an embedded Valkey of the test's own."""
    with new_database(servers.database_url) as url:
        yield Settings(
            _env_file=None,
            database_url=SecretStr(url),
            insights_home=tmp_path,
            port=0,
            log_level="error",
        )


def pids(stack: Stack) -> list[int]:
    return [each.running.pid for each in stack.supervisor.processes if each.running is not None]


def test_it_handles_what_is_published_goes_on_after_kills_and_leaves_nothing(
    settings: Settings,
) -> None:
    user = uuid7()

    said: list[str] = []

    with running_stack(settings, workers=1, say=said.append) as stack:
        assert httpx.get(f"{stack.url}/readyz", timeout=5).is_success
        (valkey,) = stack.servers
        assert valkey.process is not None
        valkey.process.kill()
        (worker,) = [each for each in stack.supervisor.processes if "worker" in each.name]
        assert worker.running is not None
        worker.running.send_signal(signal.SIGKILL)
        signed_up = UserSignedUp(user_id=user, email="ada@example.com")
        stack.assembly.publish(signed_up, PredictionMade(user_id=user, model_id="m"))

        def is_counted() -> bool:
            with stack.assembly.engine.connect() as connection:
                return bool(connection.scalar(USED, {"user": user}) == 1)

        wait_until(is_counted, 40)
        running = pids(stack)

    assert len(running) == 4
    assert any("loops is undecided and so off" in each for each in said)
    assert not [pid for pid in running if is_running(pid)]
    assert not valkey.answers(valkey.url)


def test_what_does_not_become_ready_is_reported_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "READY_TIMEOUT", 0.1)

    with pytest.raises(NotReady, match="is not ready: it does not answer"):
        wait_until_ready("http://127.0.0.1:1")
