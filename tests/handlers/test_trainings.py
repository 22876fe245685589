"""A requested training ends in a model, or in a sentence that says why there is none."""

from typing import Any
from uuid import UUID

import pytest

from events import Event
from handlers.trainings import train_model
from learning import load
from runtime.assembly import Assembly
from services.storage import model_path
from tests.factories import publish_now
from tests.handlers.steps import published, requested
from tests.pipeline import Pipeline


@pytest.mark.usefixtures("storage_folder")
def test_a_requested_training_becomes_a_model_with_its_metrics(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly, requested(user_id))

    pipeline.work()

    events = published(assembly)
    assert events[0].type == "training.started"
    assert events[0].data["problem_type"] == "classification"
    assert events[0].data["dataset_size"] == 200
    completed = next(each.data for each in events if each.type == "training.completed")
    assert completed["accuracy"] > 0.85
    assert completed["duration_seconds"] > 0
    with assembly.services.storage.open(model_path(user_id, completed["model_id"])) as file:
        assert load(file).algorithm == "random_forest"
    shown = assembly.services.progress.read("t1")
    assert shown is not None
    assert (shown.status, shown.progress) == ("completed", 100)
    pipeline.pass_time()
    pipeline.work()
    assert pipeline.owed() == []


@pytest.mark.usefixtures("storage_folder")
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"target": "price"}, "price"),
        ({"dataset_id": "nowhere"}, "nowhere.csv"),
        ({"path": "../../etc/passwd"}, "leads out"),
        ({"algorithm": "magic"}, "magic"),
        ({"hyperparameters": {"n_estimators": 10**9}}, "n_estimators"),
    ],
)
def test_what_cannot_be_trained_ends_in_a_sentence(
    fields: dict[str, Any], reason: str, assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly, requested(user_id, **fields))

    pipeline.work()

    (failed,) = [each.data for each in published(assembly) if each.type == "training.failed"]
    assert reason in failed["reason"]
    shown = assembly.services.progress.read("t1")
    assert shown is not None
    assert shown.status == "failed"
    assert pipeline.owed() == []


def test_a_training_that_keeps_failing_ends_in_training_failed(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out_of_memory(event: Event, *_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("handlers.trainings.train", run_out_of_memory)
    publish_now(assembly, requested(user_id))

    for _ in range(train_model.max_attempts + 1):
        pipeline.work()
        pipeline.pass_time()

    (failed,) = [each.data for each in published(assembly) if each.type == "training.failed"]
    assert "our side" in failed["reason"]
    (owed,) = pipeline.owed()
    assert owed.died_at is not None


@pytest.mark.usefixtures("storage_folder")
def test_training_again_after_a_crash_starts_and_completes_once(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    event = requested(user_id)
    publish_now(assembly, event)
    train_model(
        [event], assembly.services, "key"
    )  # the process dies before the delivery is deleted

    pipeline.work()

    types = [each.type for each in published(assembly)]
    assert types.count("training.started") == 1
    assert types.count("training.completed") == 1
