"""Old events are deleted, but never one that a handler still owes."""

from typing import Any

import pytest
from sqlalchemy import text

from events import PruneDue, uuid7
from models import prunable_events
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
    monkeypatch.setattr(prunable_events, "AT_ONCE", 10)
    publish_now(assembly, *predictions_made(25))
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))
    age(assembly, 91)
    publish_now(assembly, PruneDue(days=90))

    pipeline.work()

    assert kept(assembly) == []
    assert pipeline.owed() == []


def test_what_is_old_and_owed_is_passed_once_in_a_run(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event of the job goes on where the one before it left off."""
    monkeypatch.setattr(prunable_events, "AT_ONCE", 10)
    owed, done = predictions_made(20), predictions_made(15)
    publish_now(assembly, *owed)
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET died_at = now()"))
    age(assembly, 92)
    publish_now(assembly, *done)
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries WHERE died_at IS NULL"))
        connection.execute(
            text("UPDATE insights.events SET recorded_at = now() - interval '91 days'"
                 " WHERE id = ANY(:ids)"),
            {"ids": [event.id for event in done]},
        )  # fmt: skip
    publish_now(assembly, PruneDue(days=90, statement_months=25))

    pipeline.work()

    assert set(kept(assembly)) == {event.id for event in owed}
    with assembly.engine.connect() as connection:
        query = "SELECT data FROM insights.events WHERE type = 'prune.due' ORDER BY recorded_at"
        jobs = list(connection.scalars(text(query)))
    assert len(jobs) == 4
    assert {(job["days"], job["statement_months"]) for job in jobs} == {(90, 25)}
    assert len({job.get("after") for job in jobs}) == 4


def test_a_job_that_begins_nowhere_is_dead(assembly: Assembly, pipeline: Pipeline) -> None:
    publish_now(assembly, PruneDue(days=90, after="somewhere"))

    pipeline.work()

    (dead,) = pipeline.owed()
    assert dead.last_error == "`after` must be a time and an id, as this handler writes it."
