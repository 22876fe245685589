"""Servers to measure on, and the command as users run it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from benchmarks.servers import BenchServers, bench_servers
from settings import load_settings
from tests.factories import Servers

ROOT = Path(__file__).resolve().parent.parent.parent
StartBench: TypeAlias = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def given_servers(servers: Servers, tmp_path: Path) -> Iterator[BenchServers]:
    """The servers of the test run, as a measurement is given them."""
    settings = load_settings(
        _env_file=None,
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        insights_home=tmp_path,
    )
    with bench_servers(settings) as found:
        yield found


@pytest.fixture
def start_bench(servers: Servers, tmp_path: Path) -> Iterator[StartBench]:
    """Start `insights bench` on the servers of the test run; it is killed if it still runs."""
    started = []
    places = {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "INSIGHTS_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }

    def start(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "bench", *arguments],
            env=os.environ | places,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
