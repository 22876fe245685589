"""`/metrics`: the deliveries, and what all processes counted."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from starlette.testclient import TestClient

from events import PredictionMade
from models.deliveries.backlog import GAUGES, gauges
from models.providers import switch_on
from runtime.assembly import Assembly
from runtime.web import make_app
from settings import Settings
from tests.factories import publish_now
from tests.pipeline import Pipeline
from tests.web.requests import KEY
from tests.web.silent_server import SilentServer
from web.metrics import MAX_COUNT


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


def test_the_backlog_is_what_is_due_and_for_how_long(
    client: TestClient, assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly, *(PredictionMade(user_id=user_id, model_id="m") for _ in range(3)))
    with assembly.engine.begin() as connection:
        aged = text("UPDATE insights.events SET recorded_at = now() - interval '90 seconds'")
        connection.execute(aged)

    before = scrape(client)
    pipeline.work()
    with TestClient(make_app(assembly.settings), headers=KEY) as other:
        after = scrape(other)

    assert before["insights_backlog", "usage"] == 3
    assert before["insights_oldest_due_seconds", "usage"] == pytest.approx(90, abs=5)
    assert after["insights_backlog", "usage"] == 0
    assert after["insights_oldest_due_seconds", "usage"] == 0


def test_dead_letters_are_counted_and_are_no_backlog(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    publish_now(assembly, PredictionMade(user_id=user_id, model_id="m"))
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET died_at = now()"))

    found = scrape(client)

    assert found["insights_dead_letters", "usage"] == 1
    assert found["insights_backlog", "usage"] == 0


def test_a_handler_without_deliveries_is_listed_too(client: TestClient, assembly: Assembly) -> None:
    found = scrape(client)

    listed = {handler for name, handler in found if name == "insights_backlog"}
    assert listed >= set(assembly.handlers)


def test_a_database_that_is_down_is_a_metric_and_no_failure(without_database: Settings) -> None:
    with TestClient(make_app(without_database), headers=KEY) as client:
        found = scrape(client)

    assert found["insights_database_up", ""] == 0
    assert not any(name == "insights_backlog" for name, _ in found)
    assert ("process_cpu_seconds_total", "") in found


OWED = text("""
    INSERT INTO insights.deliveries (handler, event_id, due_at, died_at)
    SELECT h.id, gen_random_uuid(), CASE WHEN mod(n, 2) = 0 THEN now() - interval '1 hour' END,
           CASE WHEN n > :due THEN now() END
    FROM insights.handlers h
    CROSS JOIN generate_series(1, CAST(:due AS integer) + CAST(:dead AS integer)) AS numbers (n)
    WHERE h.name = 'usage'
""")


def test_a_large_backlog_is_estimated(client: TestClient, assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(OWED, {"due": 30_000, "dead": 2_000})
        connection.execute(text("ANALYZE insights.deliveries"))

    found = scrape(client)

    assert found["insights_backlog", "usage"] == pytest.approx(30_000, rel=0.2)
    assert found["insights_dead_letters", "usage"] == MAX_COUNT


@pytest.mark.parametrize("statistics", ["of an empty table", "of now"])
def test_counting_reads_no_more_than_its_bound_however_much_is_owed(
    assembly: Assembly, statistics: str
) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(text("ANALYZE insights.deliveries"))
        connection.execute(OWED, {"due": 30_000, "dead": 30_000})
        if statistics == "of now":
            connection.execute(text("ANALYZE insights.deliveries"))
        gauges(connection, 100)
        explain = text(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {GAUGES.text}")
        (plan,) = connection.execute(explain, {"most": 100}).scalar_one()

    assert rows_read(plan["Plan"]) < 1000


def rows_read(plan: dict[str, Any]) -> float:
    """How many rows all nodes of a plan that read tables or indexes gave, and threw away."""
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    below = sum(map(rows_read, plan.get("Plans", ())))
    return below + (own if "Scan" in plan["Node Type"] else 0)


def test_without_a_key_it_is_refused(anonymous: TestClient) -> None:
    answer = anonymous.get("/metrics")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "insights_" not in answer.text


def test_keys_cannot_be_tried_out_without_end(assembly: Assembly) -> None:
    few = assembly.settings.model_copy(update={"rate_limit": 3})
    wrong = {"Authorization": "Bearer not-one-of-the-keys"}
    with TestClient(make_app(few)) as client:
        statuses = [client.get("/metrics", headers=wrong).status_code for _ in range(4)]
        assert client.get("/metrics", headers=KEY).status_code == 200

    assert statuses == [401, 401, 401, 429]


def test_many_scrapes_at_once_share_one_look_and_its_connection(
    silent: SilentServer, without_redis: Settings
) -> None:
    settings = without_redis.model_copy(update={"database_url": silent.as_postgres})
    with (
        TestClient(make_app(settings), headers=KEY) as client,
        ThreadPoolExecutor(32) as clients,
    ):
        answers = list(clients.map(lambda _: client.get("/metrics"), range(32)))

    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1
    assert silent.connections == 1


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

    with TestClient(make_app(assembly.settings), headers=KEY) as client:
        found = scrape(client)

    assert found["insights_deliveries_total", "usage"] == 5
    assert found["insights_backlog", "usage"] == 0


def test_it_says_which_providers_are_on(client: TestClient, assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        switch_on(connection, "posthog")

    text_ = client.get("/metrics").text

    assert 'insights_provider_on{provider="loops"} 0.0' in text_
    assert 'insights_provider_on{provider="posthog"} 1.0' in text_
