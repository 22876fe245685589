"""A ground to measure on, and the command as users run it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from benchmarks.ground import Ground, ground
from settings import load_settings
from tests.factories import Servers

ROOT = Path(__file__).resolve().parent.parent.parent
Bench = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def given(servers: Servers, tmp_path: Path) -> Iterator[Ground]:
    settings = load_settings(
        _env_file=None,
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        insights_home=tmp_path,
    )
    with ground(settings) as where:
        yield where


@pytest.fixture
def bench(servers: Servers, tmp_path: Path) -> Iterator[Bench]:
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


def databases(servers: Servers) -> set[str]:
    """The databases that measurements made and did not drop."""
    with psycopg.connect(servers.database_url) as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE 'insights_bench_%'"
        return {str(row[0]) for row in connection.execute(query)}


def keys(servers: Servers) -> dict[str, int]:
    """How many keys each database of the Redis holds."""
    with redis.Redis.from_url(servers.redis_url) as client:
        found: dict[str, dict[str, int]] = client.info("keyspace")
    return {name: each["keys"] for name, each in found.items()}
