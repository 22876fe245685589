"""The web process as a whole: it listens, logs as JSON, and stops when asked."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from events.progress import TrainingProgress
from runtime.assembly import Assembly
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from tests.web.requests import KEY, connected, messages
from tests.web.routes.trainings.streams import Run
from web.serve import Server

PROGRAM = """
from runtime.logs import set_up_logs
from runtime.web import make_app
from settings import load_settings
from web.serve import serve

settings = load_settings()
set_up_logs(settings)
serve(make_app(settings), settings.host, settings.port, settings.keep_alive_seconds)
print("returned")
"""


@pytest.fixture
def process(assembly: Assembly) -> Iterator["subprocess.Popen[str]"]:
    """A web process on a free port, whose logs are JSON."""
    settings = assembly.settings
    assert settings.database_url
    environment = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis,
        "INSIGHTS_API_KEYS": "a-key-for-the-tests",
        "LOG_FORMAT": "json",
        "PORT": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def listening_at(process: "subprocess.Popen[str]") -> str:
    assert process.stderr
    for line in process.stderr:
        found = json.loads(line)
        if found["event"] == "listening":
            return str(found["url"])
    raise AssertionError("It never listened.")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_its_streams_at_once_and_returns(
    process: "subprocess.Popen[str]", assembly: Assembly, how: signal.Signals
) -> None:
    ProgressBoard(TcpCommands(assembly.redis)).show(
        [TrainingProgress("t-1", 40, "Learning", "running", 1000)]
    )
    url = f"{listening_at(process)}/trainings/t-1/progress/stream"

    with httpx.stream("GET", url, headers=KEY, timeout=10) as response:
        received = messages(response)
        while "event" not in next(received):
            pass
        process.send_signal(how)
        rest = list(received)
    out, err = process.communicate(timeout=5)

    assert not [each for each in rest if "event" in each]
    assert out == "returned\n"
    assert process.returncode == 0
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["route"] for line in lines if line["event"] == "request"] == [
        "/trainings/{training_id}/progress/stream"
    ]
    assert not [line for line in lines if line["level"] == "error"]


def test_an_idle_connection_is_kept_as_long_as_the_setting_says(
    assembly: Assembly, run: Run
) -> None:
    briefly = assembly.settings.model_copy(update={"keep_alive_seconds": 1})
    with run(briefly) as server, connected(server) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
        while not (received := client.recv(1000)).endswith(b"}"):
            assert received
        answered_at = time.monotonic()
        assert client.recv(1000) == b""

    assert 0.9 < time.monotonic() - answered_at < 3


def test_a_server_that_stops_says_so_to_whoever_waits_for_the_database(
    assembly: Assembly, run: Run
) -> None:
    with run(assembly.settings) as server:
        assert not server.stopped.is_set()

    assert server.stopped.is_set()


def test_it_is_kept_for_longer_than_load_balancers_do(server: Server) -> None:
    # nginx, AWS and Heroku keep a connection without a request for 60 s at most.
    assert server.config.timeout_keep_alive == 75
