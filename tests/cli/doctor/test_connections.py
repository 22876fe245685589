"""The doctor adds up the connections that our processes may open."""

import pytest

from runtime import connection_budget
from tests.cli.conftest import Insights, doctor_findings


def test_what_each_process_may_open_is_said(insights: Insights) -> None:
    finding = doctor_findings(insights)["connections"]

    assert finding["status"] == "ok"
    assert f"A web process opens up to {connection_budget.of_web()}" in finding["detail"]


def test_a_server_without_room_for_two_workers_is_a_hint(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_budget, "WEB", 1_000_000)

    finding = doctor_findings(insights)["connections"]

    assert finding["status"] == "hint"
    assert "pooler" in finding["hint"]
