"""`insights handlers`, `pause` and `resume`."""

import json

import pytest
from sqlalchemy import text

from events import PredictionMade, uuid7
from runtime.assembly import Assembly
from tests.cli.conftest import Insights, flat, let_die
from tests.factories import publish_now, read_only
from tests.pipeline import Pipeline


def test_handlers_are_shown_with_their_events_and_their_state(
    insights: Insights, assembly: Assembly
) -> None:
    publish_now(assembly, *(PredictionMade(user_id=uuid7(), model_id="m") for _ in range(3)))
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.handlers SET paused = true WHERE name = 'profiles'")
        )
        connection.execute(
            text("UPDATE insights.handlers SET resume_at = now() WHERE name = 'progress'")
        )

    shown = insights("handlers")
    output = json.loads(insights("handlers", "--json").stdout)

    rows = {line.split()[0]: line.split() for line in shown.stdout.splitlines() if line}
    assert rows["profiles"][4] == "paused"
    assert rows["progress"][4:6] == ["circuit", "open"]
    assert rows["usage"][4:6] == ["working", "3"]
    assert "usage" in output["events"]["prediction.made"]
    entries = {each["name"]: each for each in output["handlers"]}
    assert entries["usage"]["kind"] == "transactional"
    assert (entries["usage"]["batch"], entries["usage"]["max_attempts"]) == (500, 10)
    assert (entries["usage"]["backlog"], entries["usage"]["dead"]) == (3, 0)
    assert entries["profiles"]["paused"] is True
    assert entries["progress"]["resting_until"] is not None


def test_dead_letters_are_not_backlog(insights: Insights, assembly: Assembly) -> None:
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    let_die(assembly, "usage")

    output = json.loads(insights("handlers", "--json").stdout)

    (usage,) = [each for each in output["handlers"] if each["name"] == "usage"]
    assert (usage["backlog"], usage["dead"]) == (0, 1)


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", None])
def test_handlers_are_shown_without_a_database(
    insights: Insights, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    if url is None:
        monkeypatch.delenv("DATABASE_URL")
    else:
        monkeypatch.setenv("DATABASE_URL", url)

    result = insights("handlers", "--json")

    output = json.loads(result.stdout)
    assert result.exit_code == 0
    assert "Only what the code knows" in flat(result.stderr)
    assert "usage" in output["events"]["prediction.made"]
    assert {each["backlog"] for each in output["handlers"]} == {None}


def test_a_paused_handler_is_given_nothing_until_it_is_resumed(
    insights: Insights, assembly: Assembly, pipeline: Pipeline
) -> None:
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))

    paused = insights("pause", "usage")

    assert paused.exit_code == 0
    assert "insights resume usage" in flat(paused.stdout)
    assert "usage" not in pipeline.rung()
    insights("resume", "usage")
    assert "usage" in pipeline.rung()


def test_a_database_that_takes_no_writes_is_said_to_take_none(
    insights: Insights, assembly: Assembly
) -> None:
    with read_only(assembly):
        result = insights("pause", "usage")

    assert result.exit_code == 1
    assert "or takes no writes now" in flat(result.stderr)


def test_resuming_closes_the_circuit_breaker(insights: Insights, assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text("""
                UPDATE insights.handlers SET failures_in_row = 9, resume_at = now() + interval '1 h'
                WHERE name = 'progress'
            """)
        )

    insights("resume", "progress")

    with assembly.engine.connect() as connection:
        row = connection.execute(
            text("SELECT * FROM insights.handlers WHERE name = 'progress'")
        ).one()
    assert (row.paused, row.failures_in_row, row.resume_at) == (False, 0, None)


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_an_unknown_handler_is_answered_with_a_list_of_handlers(
    insights: Insights, command: str
) -> None:
    result = insights(command, "usages")

    assert result.exit_code == 1
    assert "No handler is called 'usages'. There are:" in flat(result.stderr)
