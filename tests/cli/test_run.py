"""Commands that run until they are stopped, as processes of their own."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from models.connections import connect
from runtime.assembly import Assembly
from runtime.environment import environment
from runtime.stack import free_port
from runtime.supervisor import insights_command
from tests.cli.conftest import Insights
from tests.factories import Servers, new_database
from tests.waiting import is_running, wait_until

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(assembly: Assembly, tmp_path: Path) -> Iterator[Start]:
    """Start a command in an empty folder; it is killed at the end if it still runs."""
    started = []
    root = str(Path(__file__).parents[2])

    def start(*arguments: str, **variables: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            insights_command(*arguments),
            env=os.environ | environment(assembly.settings) | {"PYTHONPATH": root} | variables,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def children(process: "subprocess.Popen[str]") -> list[int]:
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in pids.split()]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def test_migrating_brings_an_empty_database_up_to_date(
    insights: Insights, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_database(servers.database_url) as url:
        monkeypatch.setenv("DATABASE_URL", url)

        assert insights("migrate").exit_code == 0
        assert insights("migrate").exit_code == 0

        engine = connect(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            count = connection.scalar(text("SELECT count(*) FROM insights.handlers"))
        engine.dispose()
    assert count


def test_migrating_says_what_of_a_newer_release_it_leaves_alone(
    insights: Insights, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_database(servers.database_url) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        assert "loops is undecided and so off" in insights("migrate").stdout
        engine = connect(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            connection.execute(text("UPDATE insights.alembic_version SET version_num = '9999'"))
            connection.execute(text("INSERT INTO insights.handlers (name) VALUES ('sms')"))
            connection.execute(
                text("INSERT INTO insights.subscriptions VALUES ('user.deleted', 'sms')")
            )
            connection.execute(text("DELETE FROM insights.subscriptions WHERE handler = 'usage'"))

        result = insights("migrate")

        with engine.connect() as connection:
            revision = connection.scalar(text("SELECT version_num FROM insights.alembic_version"))
            handlers = set(
                connection.scalars(text("SELECT DISTINCT handler FROM insights.subscriptions"))
            )
        engine.dispose()
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Left alone: the tables are at 9999, made by a newer release")
    assert lines[1].startswith("Left alone: the handler sms, which this code does not know,")
    assert revision == "9999"
    assert {"sms", "usage"} <= handlers


def test_several_worker_processes_share_a_port_for_metrics_and_end_together(start: Start) -> None:
    port = str(free_port("127.0.0.1"))
    worker = start("worker", "--handlers", "usage", "--processes", "2", METRICS_PORT=port)
    wait_until(lambda: len(children(worker)) == 2 and answers(f"http://127.0.0.1:{port}/metrics"))
    pids = children(worker)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(40) == 0
    assert not [pid for pid in pids if is_running(pid)]


def test_the_sandbox_prints_the_settings_that_lead_to_it(start: Start) -> None:
    sandbox = start("sandbox", "--port", "0")
    assert sandbox.stdout
    lines = []
    for line in sandbox.stdout:
        lines.append(line.strip())
        if line.startswith("ready "):
            break

    url = lines[-1].removeprefix("ready ")
    assert f"LOOPS_URL={url}/loops/api" in lines
    assert f"POSTHOG_HOST={url}/posthog" in lines
    assert answers(f"{url}/sandbox/state/loops")


@pytest.mark.parametrize("command", ["scheduler", "relay"])
def test_sigterm_ends_a_process_in_order(start: Start, command: str) -> None:
    port = str(free_port("127.0.0.1"))
    process = start(command, METRICS_PORT=port)
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/metrics"))

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0
