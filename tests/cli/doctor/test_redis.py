"""`insights doctor` on Redis."""

import json

import pytest

from cli.doctor.redis import findings
from runtime.assembly import Assembly
from tests.cli.conftest import SECRET, UNREACHABLE, Insights, flat
from tests.services.redis.limited_user import CHANNELS, COMMANDS, KEYS, PASSWORD, limited_user


def test_a_redis_that_is_away_is_wrong(insights: Insights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@{UNREACHABLE}/0")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "REDIS_URL right?" in flat(result.stdout)
    assert SECRET not in result.output


def test_a_redis_that_evicts_when_full_is_a_hint() -> None:
    full = {"redis_version": "7.0.15", "maxmemory": 1000, "maxmemory_policy": "allkeys-lru"}

    version, memory = findings(full, 0.5)

    assert version.status == "ok"
    assert memory.status == "hint"
    assert "allkeys-lru" in memory.detail
    assert len(list(findings(full | {"maxmemory": 0}, 0.5))) == 1
    assert len(list(findings({}, 0.5))) == 1


def redis_findings(insights: Insights) -> dict[str, str]:
    """Status and detail of what the doctor says of Redis."""
    found = json.loads(insights("doctor", "--json").stdout)["findings"]
    return {
        each["what"]: f"{each['status']}: {each['detail']} {each['hint']}"
        for each in found
        if each["what"].startswith("Redis")
    }


def test_a_redis_that_does_what_we_use_it_for_is_fine(insights: Insights) -> None:
    (found,) = redis_findings(insights).values()

    assert found.startswith("ok: ")
    assert "does what we use it for" in found


def test_a_user_without_channels_is_found_and_named(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    with limited_user(assembly, *KEYS, *COMMANDS) as url:
        monkeypatch.setenv("REDIS_URL", url)
        (found,) = redis_findings(insights).values()

    assert found.startswith("wrong: ")
    assert "refuses SUBSCRIBE insights:bell:-" in found
    assert "refuses PUBLISH insights:bell:-" in found
    assert "docs/operating.md" in found
    assert PASSWORD not in found


def test_the_redis_of_the_queues_is_tried_too(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    with limited_user(assembly, *KEYS, *CHANNELS, *COMMANDS, "-rpush") as url:
        monkeypatch.setenv("BROKER_URL", url)
        found = redis_findings(insights)

    assert found["Redis"].startswith("ok: ")
    assert found["Redis at BROKER_URL"].startswith("wrong: refuses RPUSH")
    assert "BROKER_URL must lead to" in found["Redis at BROKER_URL"]


def test_a_replica_is_wrong(insights: Insights, assembly: Assembly) -> None:
    assembly.redis.replicaof("127.0.0.1", "1")
    try:
        (found,) = redis_findings(insights).values()
    finally:
        assembly.redis.replicaof("NO", "ONE")

    assert found.startswith("wrong: ")
    assert "READONLY" in found
