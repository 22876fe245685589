"""The web process as a whole: it listens, logs as JSON, and stops when asked."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from events.progress import TrainingProgress
from runtime.assembly import Assembly
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from tests.web.requests import KEY, messages

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
