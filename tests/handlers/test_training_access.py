"""Data sets, trainings and models belong to users: others' are refused with a sentence."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from events import TrainingCompleted, TrainingStarted
from handlers.trainings import train_model
from runtime.assembly import Assembly
from tests.factories import dataset_uploaded, publish_now, sign_up, training_event
from tests.handlers.steps import published, requested, work_until_done
from tests.pipeline import Pipeline


@pytest.fixture
def other(assembly: Assembly) -> UUID:
    return sign_up(assembly)


@pytest.fixture
def training_pipeline(pipeline: Pipeline) -> Pipeline:
    pipeline.follow(train_model, pipeline.assembly.handlers["progress"])
    return pipeline


def put(folder: Path, key: str, user_id: UUID) -> None:
    """Copy the user's data set to another place in the storage folder."""
    (folder / key).parent.mkdir(parents=True, exist_ok=True)
    (folder / key).write_bytes((folder / str(user_id) / "tumours.csv").read_bytes())


def failure(assembly: Assembly) -> str:
    """Why the only training failed; none was counted."""
    events = published(assembly)
    assert "training.started" not in {each.type for each in events}
    (failed,) = [each for each in events if each.type == "training.failed"]
    reason: str = failed.data["reason"]
    return reason


def uploaded(assembly: Assembly, user_id: UUID, dataset_id: str = "tumours") -> None:
    publish_now(assembly, dataset_uploaded(user_id).model_copy(update={"dataset_id": dataset_id}))


@pytest.mark.usefixtures("storage_folder")
def test_a_data_set_of_another_user_is_refused(
    training_pipeline: Pipeline, user_id: UUID, other: UUID
) -> None:
    uploaded(training_pipeline.assembly, other)
    uploaded(training_pipeline.assembly, user_id)  # the owner stays the first
    publish_now(training_pipeline.assembly, requested(user_id))

    training_pipeline.work()

    assert failure(training_pipeline.assembly) == "The data set 'tumours' belongs to another user."


@pytest.mark.usefixtures("storage_folder")
def test_a_training_id_of_another_user_is_refused_and_leaves_that_training_alone(
    training_pipeline: Pipeline, user_id: UUID, other: UUID
) -> None:
    assembly = training_pipeline.assembly
    publish_now(assembly, training_event(TrainingStarted, 0, other, training_id="t1"))
    training_pipeline.work()
    publish_now(assembly, requested(user_id))
    training_pipeline.work()

    (failed,) = [each for each in published(assembly) if each.type == "training.failed"]
    assert "The training 't1' belongs to another user" in failed.data["reason"]
    assert failed.user_id == user_id
    shown = assembly.services.progress.read("t1")
    assert shown is not None
    assert shown.status == "running"


@pytest.mark.usefixtures("storage_folder")
def test_a_model_id_of_another_user_is_refused(
    training_pipeline: Pipeline, user_id: UUID, other: UUID
) -> None:
    assembly = training_pipeline.assembly
    model = training_event(TrainingCompleted, 0, other, training_id="x", model_id="t1")
    publish_now(assembly, model)
    publish_now(assembly, requested(user_id))

    training_pipeline.work()

    assert "The model 't1' belongs to another user" in failure(assembly)


@pytest.mark.parametrize(
    "path",
    [
        "{other}/tumours.csv",
        "{user}/../{other}/tumours.csv",
        "./{other}/tumours.csv",
        "tumours.csv",
        "models/m.skops",
        "{user}",
        "{user}x/tumours.csv",
        "/{user}/tumours.csv",
    ],
)
def test_a_path_of_others_is_refused_with_a_sentence(
    path: str,
    training_pipeline: Pipeline,
    storage_folder: Path,
    user_id: UUID,
    other: UUID,
) -> None:
    put(storage_folder, f"{other}/tumours.csv", user_id)
    put(storage_folder, f"{user_id}x/tumours.csv", user_id)
    put(storage_folder, "tumours.csv", user_id)
    given = path.format(user=user_id, other=other)
    publish_now(training_pipeline.assembly, requested(user_id, path=given))

    training_pipeline.work()

    reason = failure(training_pipeline.assembly)
    assert "is not yours" in reason or "leads out of the storage folder" in reason


@pytest.mark.parametrize("path", ["{user}/uploads/2026/a.csv", "./{user}//uploads/2026/a.csv"])
def test_a_path_in_the_users_own_folder_is_read(
    path: str, training_pipeline: Pipeline, storage_folder: Path, user_id: UUID
) -> None:
    put(storage_folder, f"{user_id}/uploads/2026/a.csv", user_id)
    event = requested(user_id, dataset_id="elsewhere", path=path.format(user=user_id))
    publish_now(training_pipeline.assembly, event)

    work_until_done(training_pipeline)

    assert "training.completed" in {each.type for each in published(training_pipeline.assembly)}


@pytest.mark.parametrize("path", [None, "old.csv"])
@pytest.mark.parametrize("is_owner", [True, False])
def test_an_old_data_set_is_read_for_its_owner_alone(
    path: str | None,
    is_owner: bool,
    training_pipeline: Pipeline,
    storage_folder: Path,
    user_id: UUID,
) -> None:
    assembly = training_pipeline.assembly
    put(storage_folder, "old.csv", user_id)
    if is_owner:
        uploaded(assembly, user_id, "old")
        with assembly.engine.begin() as connection:
            connection.execute(text("DELETE FROM insights.events"))  # who owns it outlives that
            connection.execute(text("DELETE FROM insights.deliveries"))
    publish_now(assembly, requested(user_id, dataset_id="old", path=path))

    work_until_done(training_pipeline)

    last = published(assembly)[-1]
    assert last.type == ("training.completed" if is_owner else "training.failed")


def test_a_link_out_of_the_folder_is_refused(
    training_pipeline: Pipeline, storage_folder: Path, user_id: UUID, tmp_path: Path
) -> None:
    own = storage_folder / str(user_id) / "tumours.csv"
    own.rename(tmp_path / "secret.csv")
    own.symlink_to(tmp_path / "secret.csv")
    publish_now(training_pipeline.assembly, requested(user_id))

    training_pipeline.work()

    assert "by a link" in failure(training_pipeline.assembly)
