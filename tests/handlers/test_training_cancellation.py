"""A cancelled training stops: nothing more is published, stored or mailed of it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import (
    Event,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingRequested,
    UserDeleted,
)
from handlers.emails.handler import send_email
from handlers.profiles import keep_profiles
from handlers.trainings import save_model, train_model
from handlers.usage import count_usage
from learning import ThrottledProgress, Training
from runtime.assembly import Assembly
from tests.doubles import Doubles
from tests.factories import publish_now, sign_up, training_event
from tests.handlers.steps import published, requested, work_until_done
from tests.pipeline import Pipeline


def cancelled(user_id: UUID, training_id: str = "t1") -> TrainingCancelled:
    return TrainingCancelled(user_id=user_id, training_id=training_id)


def types(assembly: Assembly) -> list[str]:
    return [each.type for each in published(assembly)]


def models_in(folder: Path, user_id: UUID) -> list[str]:
    return sorted(file.name for file in (folder / str(user_id)).glob("models/*"))


def used_trainings(assembly: Assembly, user_id: UUID) -> int:
    with assembly.engine.connect() as connection:
        total = text("SELECT count(*) FROM insights.usage_ledger WHERE user_id = :u")
        return int(connection.execute(total, {"u": user_id}).scalar_one())


@pytest.fixture
def training_pipeline(pipeline_with_doubles: Pipeline) -> Pipeline:
    """What must follow from a training: work, counting, mails, and what is shown."""
    progress = pipeline_with_doubles.assembly.handlers["progress"]
    pipeline_with_doubles.follow(train_model, count_usage, send_email, progress)
    return pipeline_with_doubles


@pytest.fixture
def cancel_at(monkeypatch: pytest.MonkeyPatch, assembly: Assembly, user_id: UUID) -> Any:
    """Have the training be cancelled when its progress passes so many percent."""

    def arrange(percent: float) -> None:
        run = Training.run

        def run_and_cancel(self: Training, on_progress: ThrottledProgress) -> Any:
            def report(at: float, message: str) -> None:
                if at >= percent:
                    publish_now(assembly, cancelled(user_id))
                on_progress._on_progress(at, message)  # past the throttle

            return run(self, report)

        monkeypatch.setattr(Training, "run", run_and_cancel)

    return arrange


@pytest.mark.usefixtures("storage_folder")
@pytest.mark.parametrize("first", ["requested", "cancelled"])
def test_cancelled_before_work_nothing_is_counted_or_mailed(
    first: str, training_pipeline: Pipeline, doubles: Doubles, user_id: UUID, storage_folder: Path
) -> None:
    assembly = training_pipeline.assembly
    events: list[Event] = [requested(user_id), cancelled(user_id)]
    for event in events if first == "requested" else reversed(events):
        publish_now(assembly, event)

    work_until_done(training_pipeline)

    assert types(assembly) == ["training.cancelled"]
    assert used_trainings(assembly, user_id) == 0
    assert doubles.loops.mails == []
    assert models_in(storage_folder, user_id) == []
    shown = assembly.services.progress.read("t1")
    assert shown is not None
    assert shown.status == "cancelled"


@pytest.mark.parametrize("percent", [10, 50, 100])
def test_cancelled_during_work_it_stops_and_what_had_started_stays_counted(
    percent: float,
    cancel_at: Any,
    training_pipeline: Pipeline,
    doubles: Doubles,
    user_id: UUID,
    storage_folder: Path,
) -> None:
    assembly = training_pipeline.assembly
    cancel_at(percent)
    publish_now(assembly, requested(user_id))

    work_until_done(training_pipeline)

    assert types(assembly)[-1] == "training.cancelled"
    assert {"training.completed", "training.failed"}.isdisjoint(types(assembly))
    assert used_trainings(assembly, user_id) == 1
    assert doubles.loops.mails == []
    assert models_in(storage_folder, user_id) == []


def test_cancelled_between_the_model_and_its_announcement_no_model_stays(
    training_pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    doubles: Doubles,
    user_id: UUID,
    storage_folder: Path,
) -> None:
    assembly = training_pipeline.assembly

    def save_then_cancel(*args: Any) -> None:
        save_model(*args)
        assert models_in(storage_folder, user_id) == ["t1.skops"]
        publish_now(assembly, cancelled(user_id))

    monkeypatch.setattr("handlers.trainings.save_model", save_then_cancel)
    publish_now(assembly, requested(user_id))

    work_until_done(training_pipeline)

    assert "training.completed" not in types(assembly)
    assert doubles.loops.mails == []
    assert models_in(storage_folder, user_id) == []


def test_a_cancellation_during_the_last_attempt_is_not_followed_by_a_failure(
    training_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, doubles: Doubles, user_id: UUID
) -> None:
    assembly = training_pipeline.assembly

    def run_out_of_memory(event: TrainingRequested, *_: object) -> None:
        publish_now(assembly, cancelled(event.user_id))
        raise MemoryError

    monkeypatch.setattr("handlers.trainings.train", run_out_of_memory)
    publish_now(assembly, requested(user_id))

    for _ in range(train_model.max_attempts + 1):
        training_pipeline.work()
        training_pipeline.pass_time()

    assert set(types(assembly)) == {"training.cancelled"}
    assert doubles.loops.mails == []


@pytest.mark.usefixtures("storage_folder")
def test_somebody_elses_cancellation_stops_nothing(
    training_pipeline: Pipeline, user_id: UUID
) -> None:
    assembly = training_pipeline.assembly
    publish_now(assembly, requested(user_id), cancelled(sign_up(assembly)))

    work_until_done(training_pipeline)

    assert "training.completed" in types(assembly)
    shown = assembly.services.progress.read("t1")
    assert shown is not None
    assert shown.status == "completed"


@pytest.mark.parametrize("late", [TrainingCompleted, TrainingFailed])
@pytest.mark.parametrize("at_once", [False, True])
def test_what_ends_a_cancelled_training_changes_nothing(
    late: type[Event], at_once: bool, pipeline_with_doubles: Pipeline, doubles: Doubles
) -> None:
    pipeline, assembly = pipeline_with_doubles, pipeline_with_doubles.assembly
    user_id = sign_up(assembly)
    # The later event happened earlier: recording decides, not a publisher's clock.
    end = training_event(TrainingCancelled, 9, user_id)
    other = training_event(late, 5, user_id)
    publish_now(assembly, end)
    if not at_once:
        work_until_done(pipeline)
    publish_now(assembly, other)

    work_until_done(pipeline)

    assert doubles.loops.mails == []
    assert [each.event for each in doubles.posthog.events()] == ["training_cancelled"]
    shown = assembly.services.progress.read("t-1")
    assert shown is not None
    assert shown.status == "cancelled"


def test_a_cancellation_after_the_completion_changes_nothing(
    pipeline_with_doubles: Pipeline, doubles: Doubles
) -> None:
    pipeline, assembly = pipeline_with_doubles, pipeline_with_doubles.assembly
    user_id = sign_up(assembly)
    publish_now(assembly, training_event(TrainingCompleted, 5, user_id))
    publish_now(assembly, training_event(TrainingCancelled, 9, user_id))

    work_until_done(pipeline)

    assert len(doubles.loops.mails) == 1
    assert [each.event for each in doubles.posthog.events()] == ["training_completed"]
    shown = assembly.services.progress.read("t-1")
    assert shown is not None
    assert shown.status == "completed"


@pytest.mark.parametrize("when", ["before work", "at the end of it"])
def test_with_its_users_account_a_training_ends_and_leaves_no_model(
    when: str,
    assembly: Assembly,
    pipeline: Pipeline,
    user_id: UUID,
    storage_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline.follow(keep_profiles, train_model)

    def close_account() -> None:
        publish_now(assembly, UserDeleted(user_id=user_id))
        pipeline.answer("profiles")

    def save_and_close(*arguments: Any) -> None:
        save_model(*arguments)
        close_account()

    if when == "before work":
        close_account()
    else:
        monkeypatch.setattr("handlers.trainings.save_model", save_and_close)
    publish_now(assembly, requested(user_id))
    pipeline.work()

    assert pipeline.owed() == []
    assert "training.completed" not in types(assembly)
    assert models_in(storage_folder, user_id) == []
