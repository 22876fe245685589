"""Stored events become objects or outcomes."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from events import DatasetDeleted, PredictionMade, uuid7
from handlers import Handler, Reject, RetryLater, transactional
from models.events import StoredEvent
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import BOTH_KINDS, FakeEffect, transactional_handler
from tests.pipeline import Pipeline
from workers.batch import NEWER_WORKER_COMES, restore

HANDLER = transactional_handler(FakeEffect())


def stored(type_: str, body: str) -> StoredEvent:
    return StoredEvent(uuid7(), type_, body)


def test_what_does_not_fit_its_type_is_rejected_and_the_rest_is_restored() -> None:
    (event,) = predictions_made()
    right = stored("prediction.made", event.model_dump_json())
    wrong = stored("prediction.made", '{"user_id": null}')

    events, outcomes = restore(HANDLER, [right, wrong])

    assert events == [event]
    assert outcomes.keys() == {wrong.id}
    assert isinstance(outcomes[wrong.id], Reject)


def test_a_type_that_the_handler_does_not_follow_waits_for_a_newer_worker() -> None:
    unknown = stored("dataset.deleted", "{}")

    events, outcomes = restore(HANDLER, [unknown])

    assert events == []
    outcome = outcomes[unknown.id]
    assert isinstance(outcome, RetryLater)
    assert outcome.after == NEWER_WORKER_COMES == timedelta(minutes=1)


def test_an_older_worker_leaves_to_newer_ones_what_it_does_not_know(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def version(*types: Any) -> Handler:
        @transactional("evolving", *types, batch=10)
        def handle(events: Any, session: Any) -> None: ...

        return handle

    pipeline.follow(version(PredictionMade, DatasetDeleted))
    publish_now(assembly, DatasetDeleted(user_id=uuid7(), dataset_id="d"))
    pipeline.handlers = {"evolving": version(PredictionMade)}
    pipeline.answer("evolving")

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)
    assert "older than the map" in owed.last_error


@BOTH_KINDS
def test_a_stored_event_that_cannot_be_read_is_dead_with_its_fields_named(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect()
    pipeline.follow(make_handler(effect))
    with assembly.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO insights.events (id, type, source, user_id, data) "
                "VALUES (:id, 'prediction.made', 'raw', :id, '{\"prediction_count\": -1}')"
            ),
            {"id": uuid7()},
        )
    publish_now(assembly, *predictions_made())

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert "prediction_count" in owed.last_error
    assert "model_id" in owed.last_error
    assert len(effect.seen) == 1
