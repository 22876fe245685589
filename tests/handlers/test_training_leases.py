"""A worker that lost its lease stores and publishes nothing; nothing half is ever stored."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from events import TrainingRequested
from handlers.trainings import save_model, train_model
from runtime.assembly import Assembly
from services.storage import Storage, model_path
from tests.factories import publish_now
from tests.handlers.steps import let_others_go_on, published, requested, work_until_done
from tests.pipeline import Pipeline


@pytest.fixture
def training_pipeline(pipeline: Pipeline) -> Pipeline:
    pipeline.follow(train_model)
    return pipeline


def test_a_worker_that_lost_its_lease_overwrites_and_publishes_nothing(
    training_pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    storage_folder: Path,
    user_id: UUID,
) -> None:
    assembly = training_pipeline.assembly
    second = Pipeline(assembly, training_pipeline.handlers)
    models = storage_folder / str(user_id) / "models"
    content_of_second = b""

    def save_slowly(*args: Any) -> None:
        nonlocal content_of_second
        monkeypatch.setattr("handlers.trainings.save_model", save_model)
        let_others_go_on(training_pipeline)  # this worker freezes
        second.work()
        content_of_second = (models / "t1.skops").read_bytes()
        save_model(*args)

    monkeypatch.setattr("handlers.trainings.save_model", save_slowly)
    publish_now(assembly, requested(user_id))

    work_until_done(training_pipeline)

    assert (models / "t1.skops").read_bytes() == content_of_second
    assert [file.name for file in models.iterdir()] == ["t1.skops"]
    types = [each.type for each in published(assembly)]
    assert types.count("training.completed") == 1
    assert types.count("training.started") == 1


def test_a_worker_that_loses_its_lease_just_before_the_rename_overwrites_nothing(
    training_pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    storage_folder: Path,
    user_id: UUID,
) -> None:
    assembly, replace = training_pipeline.assembly, Storage.replace
    second = Pipeline(assembly, training_pipeline.handlers)
    model = storage_folder / model_path(user_id, "t1")
    content_of_second = b""

    def replace_slowly(self: Storage, path: str, confirm: Any) -> Any:
        def confirm_and_freeze() -> None:
            nonlocal content_of_second
            confirm()
            monkeypatch.setattr(Storage, "replace", replace)
            let_others_go_on(training_pipeline)
            second.work()
            content_of_second = model.read_bytes()

        return replace(self, path, confirm_and_freeze)

    monkeypatch.setattr(Storage, "replace", replace_slowly)
    publish_now(assembly, requested(user_id))

    work_until_done(training_pipeline)

    assert model.read_bytes() == content_of_second
    types = [each.type for each in published(assembly)]
    assert types.count("training.completed") == 1


def test_a_process_that_dies_while_it_saves_leaves_no_half_of_a_model(
    assembly: Assembly,
    training_pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    storage_folder: Path,
    user_id: UUID,
) -> None:
    event: TrainingRequested = requested(user_id)
    folder = (storage_folder / model_path(user_id, "t1")).parent
    folder.mkdir(parents=True)
    (folder / "t1.skops.0a1b.part").write_bytes(b"half")  # what a killed process leaves
    publish_now(assembly, event)

    work_until_done(training_pipeline)

    assert [file.name for file in folder.iterdir()] == ["t1.skops"]


def test_a_model_whose_temporary_file_was_cleared_away_is_trained_again(
    training_pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    storage_folder: Path,
    user_id: UUID,
) -> None:
    assembly, replace = training_pipeline.assembly, Storage.replace

    def replace_after_clearing(self: Storage, path: str, confirm: Any) -> Any:
        def confirm_and_clear() -> None:
            confirm()
            monkeypatch.setattr(Storage, "replace", replace)
            self.discard_unfinished(path)

        return replace(self, path, confirm_and_clear)

    monkeypatch.setattr(Storage, "replace", replace_after_clearing)
    publish_now(assembly, requested(user_id))

    work_until_done(training_pipeline)

    assert (storage_folder / model_path(user_id, "t1")).is_file()
    assert [each.type for each in published(assembly)].count("training.completed") == 1
