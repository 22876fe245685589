"""A deployment sees nothing of its caller's settings, and leaves others' keys alone."""

from pathlib import Path

import pytest
import redis

from benchmarks.deployment import KEY_PATTERNS, administer, deploy
from benchmarks.errors import BenchFailed
from benchmarks.servers import BenchServers


def test_keys_of_others_outlive_a_measurement(given_servers: BenchServers) -> None:
    with redis.Redis.from_url(given_servers.redis_url) as client:
        with deploy(given_servers) as deployment:
            deployment.assembly.redis.set(KEY_PATTERNS[0].replace("*", "queue:usage"), "ours")
            client.set("somebody's", "own")

        assert client.keys() == [b"somebody's"]
        client.delete("somebody's")


def test_processes_see_nothing_of_the_callers_providers(
    given_servers: BenchServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTHOG_API_KEY", "phc_real")

    with deploy(given_servers) as deployment:
        assert "POSTHOG_API_KEY" not in deployment.processes.environment
        assert Path(deployment.processes.environment["INSIGHTS_HOME"]) == given_servers.folder


def test_a_database_that_cannot_be_made_is_explained(given_servers: BenchServers) -> None:
    with pytest.raises(BenchFailed, match="Leave DATABASE_URL unset"):
        administer(given_servers, "CREATE DATABASE postgres")
