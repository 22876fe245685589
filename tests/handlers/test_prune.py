"""Old events are deleted, but never one that a handler still owes."""

from typing import Any

import pytest
from sqlalchemy import text

from events import PruneDue, uuid7
from runtime.assembly import Assembly
from tests.factories import prediction_made, predictions_made, publish_now
from tests.pipeline import Pipeline


def age(assembly: Assembly, days: int) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.events SET recorded_at = now() - :days * interval '1 day'"),
            {"days": days},
        )


def kept(assembly: Assembly) -> list[Any]:
    with assembly.engine.connect() as connection:
        query = "SELECT id FROM insights.events WHERE type = 'prediction.made'"
        return list(connection.scalars(text(query)))


def test_only_old_events_that_no_handler_owes_are_pruned(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    done, owed, young = (prediction_made(uuid7()) for _ in range(3))
    publish_now(assembly, done)
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))
    publish_now(assembly, owed)
    age(assembly, 91)
    publish_now(assembly, young, PruneDue(days=90))

    pipeline.work()

    assert set(kept(assembly)) == {owed.id, young.id}


def test_pruning_goes_on_until_nothing_old_is_left(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.events.PRUNED_AT_ONCE", 10)
    monkeypatch.setattr("handlers.prune.PRUNED_AT_ONCE", 10)
    publish_now(assembly, *predictions_made(25))
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))
    age(assembly, 91)
    publish_now(assembly, PruneDue(days=90))

    for _ in range(3):
        pipeline.work()
        pipeline.pass_time()

    assert kept(assembly) == []
    assert pipeline.owed() == []
