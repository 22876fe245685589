"""Prometheus is served the numbers of one process, or of all that share a folder."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import start_http_server

from runtime.assembly import Assembly
from settings import Settings
from workers.exporter import SHARED, serve_metrics, shared_folder

COUNT_DONE = 'from workers.metrics import Metrics; Metrics().done("usage", {count})'


@pytest.fixture
def settings(assembly: Assembly, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with a free port; what listens there is stopped at the end."""
    started: list[Any] = []

    def start(*arguments: Any, **more: Any) -> None:
        started.append(start_http_server(*arguments, **more))

    monkeypatch.setattr("workers.exporter.start_http_server", start)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield assembly.settings.model_copy(update={"metrics_port": port, "host": "127.0.0.1"})
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


def scraped(settings: Settings) -> str:
    return httpx.get(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=5).text


def test_the_numbers_of_this_process_are_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SHARED, raising=False)

    serve_metrics(settings)

    assert "process_cpu_seconds_total" in scraped(settings)


def test_without_a_port_nothing_is_served(settings: Settings) -> None:
    serve_metrics(settings.model_copy(update={"metrics_port": None}))

    with pytest.raises(httpx.ConnectError):
        scraped(settings)


def test_the_numbers_of_processes_that_share_a_folder_are_added_up(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = shared_folder(tmp_path / "metrics")
    for count in (2, 3):
        command = [sys.executable, "-c", COUNT_DONE.format(count=count)]
        subprocess.run(command, env=os.environ | shared, check=True)
    monkeypatch.setenv(SHARED, shared[SHARED])

    serve_metrics(settings)

    done = 'insights_deliveries_total{handler="usage",outcome="done"} 5.0'
    assert done in scraped(settings).splitlines()


def test_the_numbers_of_an_earlier_run_are_deleted_from_a_shared_folder(tmp_path: Path) -> None:
    (tmp_path / "counter_7.db").touch()
    (tmp_path / "README").touch()

    assert shared_folder(tmp_path) == {SHARED: str(tmp_path)}

    assert [path.name for path in tmp_path.iterdir()] == ["README"]
