"""`insights doctor` on PostgreSQL, its tables, and what is in them."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from events import PredictionMade, uuid7
from models.connections import connect
from models.handlers import table as handler_table
from runtime.assembly import Assembly
from runtime.migrate import ROOT, migrate, upgrade
from tests.cli.conftest import SECRET, UNREACHABLE, Insights, doctor_findings, flat, let_die, plain
from tests.factories import Servers, new_database, owe, publish_now, read_only
from tests.fake_handlers import FakeEffect, external_handler
from tests.pgbouncer import pgbouncer
from tests.pipeline import Pipeline


@pytest.fixture
def empty_database(servers: Servers) -> Iterator[str]:
    with new_database(servers.database_url) as url:
        yield url


def test_a_postgres_that_is_away_is_wrong(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{SECRET}@{UNREACHABLE}/none")

    result = insights("doctor")

    assert result.exit_code == 1
    assert "DATABASE_URL right?" in flat(result.stdout)
    assert SECRET not in result.output


def test_a_postgres_that_takes_no_writes_is_wrong(insights: Insights, assembly: Assembly) -> None:
    with read_only(assembly):
        result = insights("doctor")

    assert result.exit_code == 1
    assert "takes no writes now" in flat(result.stdout)


def test_an_empty_database_is_to_be_migrated(
    insights: Insights, monkeypatch: pytest.MonkeyPatch, empty_database: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)

    result = insights("doctor", "--json")

    output = json.loads(result.stdout)
    (behind,) = [each for each in output["findings"] if each["what"] == "migrations"]
    assert result.exit_code == 1
    assert output["ok"] is False
    assert "at nothing" in behind["detail"]
    assert behind["hint"] == "Run `insights migrate`."


def test_it_says_how_far_the_database_is_behind_or_ahead(
    insights: Insights,
    assembly: Assembly,
    monkeypatch: pytest.MonkeyPatch,
    empty_database: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    engine = connect(empty_database.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        upgrade(connection, "0001")

    newer = len(list((ROOT / "alembic/versions").glob("0*.py"))) - 1
    assert doctor_findings(insights)["migrations"]["detail"].startswith(f"{newer} behind: at 0001")

    with engine.begin() as connection:
        connection.execute(text("UPDATE insights.alembic_version SET version_num = 'of_tomorrow'"))
    engine.dispose()

    ahead = doctor_findings(insights)["migrations"]
    assert ahead["status"] == "hint"
    assert "of_tomorrow" in ahead["detail"]


def test_a_registry_that_is_not_the_code_s_is_wrong(insights: Insights, pipeline: Pipeline) -> None:
    pipeline.follow(pipeline.handlers["profiles"])

    registry = doctor_findings(insights)["registry"]

    assert registry["status"] == "wrong"
    assert "prediction.made → usage" in registry["detail"]
    assert registry["hint"] == "Run `insights migrate`."


def test_what_only_other_code_has_is_a_hint(
    insights: Insights, assembly: Assembly, pipeline: Pipeline
) -> None:
    sms = external_handler(FakeEffect(), "sms")
    pipeline.follow(*assembly.handlers.values(), sms)

    registry = doctor_findings(insights)["registry"]

    pipeline.follow(*assembly.handlers.values())
    with assembly.engine.begin() as connection:
        handler_table.remove(connection, "sms")
    assert registry["status"] == "hint"
    assert "the handler sms, which this code does not know" in registry["hint"]
    assert "`insights handlers retire sms`" in registry["hint"]


def test_it_says_which_providers_are_on_and_whether_a_key_is_not_used(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    undecided = doctor_findings(insights)["switches"]
    insights("providers", "on", "loops")
    on = doctor_findings(insights)["switches"]
    monkeypatch.setenv("POSTHOG_API_KEY", SECRET)
    monkeypatch.setenv("POSTHOG_HOST", f"http://{UNREACHABLE}")
    unused = doctor_findings(insights)["switches"]

    assert undecided["status"] == "off"
    assert undecided["detail"] == (
        "loops is undecided, so off; posthog is undecided, so off; "
        "posthog_persons is undecided, so off"
    )
    assert (on["status"], on["hint"]) == ("ok", "")
    assert on["detail"].startswith("loops is on")
    assert unused["status"] == "hint"
    assert "`insights providers on posthog`" in unused["hint"]


def test_what_is_open_to_strangers_is_wrong(
    insights: Insights,
    assembly: Assembly,
    monkeypatch: pytest.MonkeyPatch,
    empty_database: str,
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    engine = connect(empty_database.replace("postgresql://", "postgresql+psycopg://"))
    migrate(engine, assembly.catalogue, assembly.handlers)
    assert doctor_findings(insights)["rights"]["status"] == "ok"

    with engine.begin() as connection:
        connection.execute(text("GRANT EXECUTE ON FUNCTION check_limit TO PUBLIC"))
        connection.execute(text("ALTER TABLE insights.events DISABLE ROW LEVEL SECURITY"))
    engine.dispose()

    rights = doctor_findings(insights)["rights"]
    assert rights["status"] == "wrong"
    assert "public may call check_limit(uuid,text)" in rights["detail"]
    assert "insights.events has no row-level security" in rights["detail"]


def test_deliveries_that_are_late_or_dead_are_a_hint(
    insights: Insights, assembly: Assembly
) -> None:
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    let_die(assembly, "usage")
    assert "insights deliveries --state dead" in doctor_findings(insights)["deliveries"]["hint"]

    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.events SET recorded_at = now() - interval '5 minutes'")
        )
    assert "Do a relay and a worker run?" in doctor_findings(insights)["deliveries"]["hint"]

    insights("pause", "usage")
    assert doctor_findings(insights)["handlers"]["detail"].startswith("usage")


def test_deliveries_of_a_handler_that_is_not_in_the_code_are_a_hint(
    insights: Insights, assembly: Assembly
) -> None:
    with assembly.engine.begin() as connection:
        handler_table.register(connection, ["renamed"])
        owe(connection, "renamed", uuid7())

    found = doctor_findings(insights)["handlers"]["detail"]

    with assembly.engine.begin() as connection:
        handler_table.remove(connection, "renamed")
    assert found.startswith("renamed: owes something")


def test_it_notices_a_pooler(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pooler" not in doctor_findings(insights)

    with pgbouncer(plain(assembly.settings.database_url)) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        found = doctor_findings(insights)

    assert found["pooler"]["status"] == "ok"
    assert found["registry"]["status"] == "ok"
