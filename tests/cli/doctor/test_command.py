"""`insights doctor` as a whole."""

import pytest

from runtime.assembly import Assembly
from tests.cli.conftest import Insights, doctor_findings, flat


def test_where_all_is_well_it_says_so(insights: Insights, assembly: Assembly) -> None:
    result = insights("doctor")
    found = doctor_findings(insights)

    assert result.exit_code == 0
    assert "All that is needed is well." in flat(result.stdout)
    for what in ("PostgreSQL", "migrations", "registry", "rights", "deliveries", "storage"):
        assert found[what]["status"] == "ok", found[what]
    assert found["Redis"]["status"] == "ok"
    assert "RabbitMQ" not in found


def test_servers_that_are_not_configured_are_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "DATABASE_URL is not set." in flat(result.stdout)
    assert "REDIS_URL is not set." in flat(result.stdout)
