"""`insights doctor` on RabbitMQ."""

import os

import pytest

from tests.cli.conftest import SECRET, UNREACHABLE, Insights, doctor_findings, flat


def test_a_broker_that_is_away_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", f"amqp://me:{SECRET}@{UNREACHABLE}/")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "BROKER_URL right?" in flat(result.stdout)
    assert SECRET not in result.output


def test_a_broker_that_answers_is_shown_with_its_version(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = os.getenv("TEST_AMQP_URL")
    if url is None:
        pytest.skip("TEST_AMQP_URL names no RabbitMQ")
    monkeypatch.setenv("BROKER_URL", url)

    found = doctor_findings(insights)

    assert found["RabbitMQ"]["status"] == "ok"
    assert found["RabbitMQ"]["detail"].startswith("RabbitMQ ")
