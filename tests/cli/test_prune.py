"""`insights prune`."""

import pytest
from sqlalchemy import text

from events import PredictionMade, UserLoggedIn, uuid7
from models import prunable_events
from runtime.assembly import Assembly
from tests.cli.conftest import Insights, flat
from tests.factories import publish_now


def events_left(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM insights.events")).scalar_one())


def old_events(assembly: Assembly, count: int) -> None:
    """Events of 100 days ago: one is still owed by `usage`, the others by no handler."""
    publish_now(assembly, *(UserLoggedIn(user_id=uuid7()) for _ in range(count)))
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.events SET recorded_at = now() - interval '100 days'")
        )


def test_old_events_that_no_handler_owes_are_pruned(
    insights: Insights, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prunable_events, "AT_ONCE", 2)
    old_events(assembly, 5)

    result = insights("prune")

    assert "5 events older than 90 days are gone." in flat(result.stdout)
    assert events_left(assembly) == 1


def test_a_dry_run_counts_what_pruning_would_delete(insights: Insights, assembly: Assembly) -> None:
    old_events(assembly, 5)

    result = insights("prune", "--dry-run", "--older-than", 99)

    assert "5 events are older than 99 days" in flat(result.stdout)
    assert events_left(assembly) == 6
    assert "0 events" in flat(insights("prune", "--dry-run", "--older-than", 101).stdout)
