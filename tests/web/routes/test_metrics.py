"""`/metrics`: the deliveries, and what all processes counted."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from starlette.testclient import TestClient

from events import PredictionMade
from runtime.assembly import Assembly
from runtime.web import make_app
from settings import Settings
from tests.factories import publish_now
from tests.pipeline import Pipeline


def scrape(client: TestClient) -> dict[tuple[str, str], float]:
    """The samples by name and handler."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, sample.labels.get("handler", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_the_backlog_is_what_is_due_and_not_leased(
    anonymous: TestClient, assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly, *(PredictionMade(user_id=user_id, model_id="m") for _ in range(3)))
    with assembly.engine.begin() as connection:
        aged = text("UPDATE insights.deliveries SET due_at = now() - interval '90 seconds'")
        connection.execute(aged)

    before = scrape(anonymous)
    pipeline.lease()
    after = scrape(anonymous)

    assert before["insights_backlog", "usage"] == 3
    assert before["insights_oldest_due_seconds", "usage"] == pytest.approx(90, abs=5)
    assert after["insights_backlog", "usage"] == 0
    assert after["insights_oldest_due_seconds", "usage"] == 0


def test_dead_letters_are_counted_and_are_no_backlog(
    anonymous: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    publish_now(assembly, PredictionMade(user_id=user_id, model_id="m"))
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET died_at = now()"))

    found = scrape(anonymous)

    assert found["insights_dead_letters", "usage"] == 1
    assert found["insights_backlog", "usage"] == 0


def test_a_handler_without_deliveries_is_listed_too(
    anonymous: TestClient, assembly: Assembly
) -> None:
    found = scrape(anonymous)

    listed = {handler for name, handler in found if name == "insights_backlog"}
    assert listed >= set(assembly.handlers)


def test_a_database_that_is_down_is_a_metric_and_no_failure(without_database: Settings) -> None:
    with TestClient(make_app(without_database)) as client:
        found = scrape(client)

    assert found["insights_database_up", ""] == 0
    assert not any(name == "insights_backlog" for name, _ in found)
    assert ("process_cpu_seconds_total", "") in found


def test_a_large_backlog_is_estimated_at_a_bounded_cost(
    anonymous: TestClient, assembly: Assembly
) -> None:
    insert = text("""
        INSERT INTO insights.deliveries (handler, event_id, due_at)
        SELECT 'usage', gen_random_uuid(), now() - interval '1 hour' FROM generate_series(1, 30000)
    """)
    with assembly.engine.begin() as connection:
        connection.execute(insert)
        connection.execute(text("ANALYZE insights.deliveries"))

    found = scrape(anonymous)

    assert found["insights_backlog", "usage"] == pytest.approx(30_000, rel=0.2)


COUNTING = """
from workers.metrics import Metrics
Metrics().done("usage", {count})
"""


def test_what_several_processes_counted_is_added_up(
    assembly: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for count in (2, 3):
        subprocess.run([sys.executable, "-c", COUNTING.format(count=count)], check=True)

    with TestClient(make_app(assembly.settings)) as client:
        found = scrape(client)

    assert found["insights_deliveries_total", "usage"] == 5
    assert found["insights_backlog", "usage"] == 0
