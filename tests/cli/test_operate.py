"""`insights pause`, `resume` and `prune`."""

import pytest
from sqlalchemy import text

from cli import operate
from events import PredictionMade, UserLoggedIn, uuid7
from handlers import prune
from runtime.assembly import Assembly
from tests.cli.conftest import Insights, flat
from tests.factories import publish_now
from tests.pipeline import Pipeline


def events_left(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM insights.events")).scalar_one())


def test_a_paused_handler_is_given_nothing_until_it_is_resumed(
    insights: Insights, assembly: Assembly, pipeline: Pipeline
) -> None:
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))

    paused = insights("pause", "usage")

    assert paused.exit_code == 0
    assert "insights resume usage" in flat(paused.stdout)
    assert "usage" not in {message.queue_name for message in pipeline.lease()}
    insights("resume", "usage")
    assert "usage" in {message.queue_name for message in pipeline.lease()}


def test_resuming_ends_a_rest(insights: Insights, assembly: Assembly) -> None:
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
def test_an_unknown_handler_is_told_with_those_that_there_are(
    insights: Insights, command: str
) -> None:
    result = insights(command, "usages")

    assert result.exit_code == 1
    assert "No handler is called 'usages'. There are:" in flat(result.stderr)


def old_events(assembly: Assembly, count: int) -> None:
    """Events of 100 days ago: one is still owed by `usage`, the others by nobody."""
    publish_now(assembly, *(UserLoggedIn(user_id=uuid7()) for _ in range(count)))
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.events SET recorded_at = now() - interval '100 days'")
        )


def test_old_events_that_nobody_owes_are_pruned(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "AT_ONCE", 2)
    monkeypatch.setattr(operate, "AT_ONCE", 2)
    old_events(assembly, 5)

    result = insights("prune")

    assert "5 events older than 90 days are gone." in flat(result.stdout)
    assert events_left(assembly) == 1


def test_a_dry_run_counts_what_pruning_would_forget(insights: Insights, assembly: Assembly) -> None:
    old_events(assembly, 5)

    result = insights("prune", "--dry-run", "--older-than", 99)

    assert "5 events are older than 99 days" in flat(result.stdout)
    assert events_left(assembly) == 6
    assert "0 events" in flat(insights("prune", "--dry-run", "--older-than", 101).stdout)
