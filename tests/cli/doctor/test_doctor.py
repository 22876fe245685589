"""`insights doctor` on the servers that the product needs."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from cli.doctor.redis import findings
from events import PredictionMade, uuid7
from models.connections import connect
from runtime.assembly import Assembly
from runtime.migrate import ROOT, migrate
from tests.cli.conftest import Insights, flat, let_die, plain
from tests.cli.doctor.examining import DEAD, SECRET, examined
from tests.cli.pooler import pgbouncer
from tests.factories import Servers, new_database, publish_now
from tests.pipeline import Pipeline


@pytest.fixture
def empty_database(servers: Servers) -> Iterator[str]:
    with new_database(servers.database_url) as url:
        yield url


def test_where_all_is_well_it_says_so(insights: Insights, assembly: Assembly) -> None:
    result = insights("doctor")
    found = examined(insights)

    assert result.exit_code == 0
    assert "All that is needed is well." in flat(result.stdout)
    for what in ("PostgreSQL", "migrations", "registry", "rights", "deliveries", "storage"):
        assert found[what]["status"] == "ok", found[what]
    assert found["Redis"]["status"] == "ok"
    assert "RabbitMQ" not in found


def test_providers_that_are_not_configured_are_off_and_it_says_what_is_missing(
    insights: Insights,
) -> None:
    found = examined(insights)

    for name in ("Loops", "PostHog", "Sentry", "Stripe", "Upstash"):
        assert found[name]["status"] == "off"
    assert found["Loops"]["detail"] == "not configured: no emails are sent"


def test_a_postgres_that_is_away_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{SECRET}@{DEAD}/none")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "DATABASE_URL right?" in flat(result.stdout)
    assert SECRET not in result.output


def test_a_redis_that_is_away_is_wrong(insights: Insights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@{DEAD}/0")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "REDIS_URL right?" in flat(result.stdout)
    assert SECRET not in result.output


def test_servers_that_are_not_configured_are_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "DATABASE_URL is not set." in flat(result.stdout)
    assert "REDIS_URL is not set." in flat(result.stdout)


def test_a_broker_that_is_away_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", f"amqp://me:{SECRET}@{DEAD}/")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "BROKER_URL right?" in flat(result.stdout)
    assert SECRET not in result.output


def test_a_broker_that_answers_tells_its_version(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = os.getenv("TEST_AMQP_URL")
    if url is None:
        pytest.skip("TEST_AMQP_URL names no RabbitMQ")
    monkeypatch.setenv("BROKER_URL", url)

    found = examined(insights)

    assert found["RabbitMQ"]["status"] == "ok"
    assert found["RabbitMQ"]["detail"].startswith("RabbitMQ ")


def test_an_empty_database_wants_to_be_migrated(
    insights: Insights, monkeypatch: pytest.MonkeyPatch, empty_database: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)

    result = insights("doctor", "--json")

    told = json.loads(result.stdout)
    (behind,) = [each for each in told["findings"] if each["what"] == "migrations"]
    assert result.exit_code == 1
    assert told["ok"] is False
    assert "at nothing" in behind["detail"]
    assert behind["hint"] == "Run `insights migrate`."


def test_it_tells_how_far_the_database_is_behind_or_ahead(
    insights: Insights,
    assembly: Assembly,
    monkeypatch: pytest.MonkeyPatch,
    empty_database: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    engine = connect(empty_database.replace("postgresql://", "postgresql+psycopg://"))
    migrate(engine, assembly.catalogue, assembly.handlers, "0001")

    newer = len(list((ROOT / "alembic/versions").glob("0*.py"))) - 1
    assert examined(insights)["migrations"]["detail"].startswith(f"{newer} behind: at 0001")

    with engine.begin() as connection:
        connection.execute(text("UPDATE insights.alembic_version SET version_num = 'of_tomorrow'"))
    engine.dispose()

    ahead = examined(insights)["migrations"]
    assert ahead["status"] == "hint"
    assert "of_tomorrow" in ahead["detail"]


def test_a_registry_that_is_not_the_code_s_is_wrong(insights: Insights, pipeline: Pipeline) -> None:
    pipeline.follow(pipeline.handlers["profiles"])

    registry = examined(insights)["registry"]

    assert registry["status"] == "wrong"
    assert "prediction.made → usage" in registry["detail"]
    assert registry["hint"] == "Run `insights migrate`."


def test_what_is_open_to_strangers_is_wrong(
    insights: Insights,
    assembly: Assembly,
    monkeypatch: pytest.MonkeyPatch,
    empty_database: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    engine = connect(empty_database.replace("postgresql://", "postgresql+psycopg://"))
    migrate(engine, assembly.catalogue, assembly.handlers)
    assert examined(insights)["rights"]["status"] == "ok"

    with engine.begin() as connection:
        connection.execute(text("GRANT EXECUTE ON FUNCTION check_limit TO PUBLIC"))
        connection.execute(text("ALTER TABLE insights.events DISABLE ROW LEVEL SECURITY"))
    engine.dispose()

    rights = examined(insights)["rights"]
    assert rights["status"] == "wrong"
    assert "public may call check_limit(uuid,text)" in rights["detail"]
    assert "insights.events has no row-level security" in rights["detail"]


def test_what_is_not_worked_off_is_a_hint(insights: Insights, assembly: Assembly) -> None:
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    let_die(assembly, "usage")
    assert "insights deliveries --state dead" in examined(insights)["deliveries"]["hint"]

    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.deliveries SET due_at = now() - interval '5 minutes'")
        )
    assert "Do a relay and a worker run?" in examined(insights)["deliveries"]["hint"]

    insights("pause", "usage")
    assert examined(insights)["handlers"]["detail"].startswith("usage")


def test_what_nobody_in_the_code_would_handle_is_a_hint(
    insights: Insights, assembly: Assembly
) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO insights.deliveries (handler, event_id) VALUES ('renamed', :id)"),
            {"id": uuid7()},
        )

    assert examined(insights)["handlers"]["detail"].startswith("renamed: owes something")


def test_it_notices_a_pooler(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "pooler" not in examined(insights)

    with pgbouncer(plain(assembly.settings.database_url), tmp_path) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        found = examined(insights)

    assert found["pooler"]["status"] == "ok"
    assert found["registry"]["status"] == "ok"


def test_a_redis_that_evicts_when_full_is_harmless_but_told() -> None:
    full = {"redis_version": "7.0.15", "maxmemory": 1000, "maxmemory_policy": "allkeys-lru"}

    version, memory = findings(full, 0.5)

    assert version.status == "ok"
    assert memory.status == "hint"
    assert "allkeys-lru" in memory.detail
    assert len(list(findings(full | {"maxmemory": 0}, 0.5))) == 1
    assert len(list(findings({}, 0.5))) == 1
