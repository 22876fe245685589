"""`insights doctor` on Redis."""

import pytest

from cli.doctor.redis import findings
from tests.cli.conftest import SECRET, UNREACHABLE, Insights, flat


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
