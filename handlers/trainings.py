"""Trains the models that users asked for, and publishes how far each training is."""

import time
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session

from errors import InsightsError
from events import (
    Event,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
    publish,
    uuid7,
)
from handlers.registry import external
from handlers.training_access import (
    NO_MODEL,
    NotOwned,
    TrainingStopped,
    csv_paths,
    require_open,
    require_own_ids,
    status_of,
)
from services import Services
from services.storage import NotStored, WriteOvertaken, model_path

if TYPE_CHECKING:
    from learning import TrainedModel, Training

log = structlog.get_logger()

INTERNAL_ERROR = "Something went wrong on our side while we trained this model. Please try again."


def failed_for_good(event: Event) -> Event:
    """The event of a training that kept failing through no fault of the user's."""
    return training_failed(event, INTERNAL_ERROR)


def has_ended(event: TrainingRequested, session: Session) -> bool:
    """Whether a training has ended, so that its death is nobody's concern."""
    return status_of(event, session, lock=True) is not None


# One at a time per process: trainings compete for CPU and memory. Few attempts: each may take
# minutes.
@external(
    "trainings",
    TrainingRequested,
    concurrency=1,
    max_attempts=3,
    on_death=failed_for_good,
    is_over=has_ended,
)
def train_model(event: TrainingRequested, services: Services, _key: str) -> None:
    """Train and store the model, and publish TrainingCompleted, or TrainingFailed with a reason.

    A training that was ended meanwhile, or that another worker has taken over, stops: it publishes
    nothing more. One that is cancelled, failed, or ended with its user's account leaves no model.
    """
    from learning import LearningError  # noqa: PLC0415 (pandas takes a second to import)

    try:
        try:
            end = train(event, services)
        except (LearningError, NotOwned, NotStored) as error:
            end = training_failed(event, str(error))
        # Published here, not returned: only this transaction knows that nothing ended it before.
        publish_while_open(end, event, services)
    except TrainingStopped as stopped:
        log.info("training_stopped", training_id=event.training_id, reason=str(stopped))
        if stopped.status in NO_MODEL:
            services.storage.remove(model_path(event.user_id, event.training_id))


def train(event: TrainingRequested, services: Services) -> Event:
    """One training. A repeated one overwrites the model; its TrainingStarted is not new.

    Raises LearningError where the data cannot be learnt from, NotStored where it is missing,
    NotOwned where it is another user's, and TrainingStopped.
    """
    from learning import ThrottledProgress, prepare  # noqa: PLC0415

    def begin(session: Session) -> list[str]:
        require_open(event, services, session, lock=False)
        require_own_ids(event, session)
        return csv_paths(event, session)

    began = time.monotonic()
    storage, paths = services.storage, services.transaction(begin)
    storage.discard_unfinished(model_path(event.user_id, event.training_id))
    with storage.open(next(filter(storage.exists, paths), paths[0])) as table:
        training = prepare(
            table,
            target=event.target,
            algorithm=event.algorithm,
            problem_type=event.problem_type,
            hyperparameters=event.hyperparameters,
        )
    publish_while_open(training_started(event, training), event, services)
    trained = training.run(
        ThrottledProgress(lambda at, message: publish_progress(event, services, at, message))
    )
    save_model(trained, event, services)
    return event.follow(
        TrainingCompleted,
        training_id=event.training_id,
        model_id=event.training_id,
        model_name=event.model_name,
        algorithm=event.algorithm,
        problem_type=trained.problem_type,
        duration_seconds=round(time.monotonic() - began, 3),
        accuracy=trained.metrics.get("accuracy"),
        metrics=trained.metrics,
    )


def save_model(trained: "TrainedModel", event: TrainingRequested, services: Services) -> None:
    """Store the model, unless the training is over or another worker has it.

    Raises TrainingStopped, and WriteOvertaken where a stranger removed what was being written.
    """
    from learning import save  # noqa: PLC0415

    def confirm() -> None:
        services.transaction(lambda session: require_open(event, services, session, lock=False))

    path = model_path(event.user_id, event.training_id)
    try:
        with services.storage.replace(path, confirm) as file:
            save(trained, file)
    except WriteOvertaken:
        confirm()  # the lease is lost, mostly; if not, the training fails and is tried again
        raise


def publish_while_open(
    follower: Event, event: TrainingRequested, services: Services, *, lock: bool = True
) -> None:
    """Publish what follows from a request. Raises TrainingStopped instead, as require_open does.

    Without `lock`, a cancellation may be recorded before this is.
    """

    def work(session: Session) -> None:
        require_open(event, services, session, lock=lock)
        publish(session, follower)

    services.transaction(work)


def training_started(event: TrainingRequested, training: "Training") -> Event:
    """The event that the data was read and the model is being fitted."""
    return event.follow(
        TrainingStarted,
        training_id=event.training_id,
        dataset_id=event.dataset_id,
        algorithm=event.algorithm,
        problem_type=training.problem_type,
        dataset_size=training.row_count,
        hyperparameters=event.hyperparameters,
    )


def publish_progress(
    event: TrainingRequested, services: Services, percent: float, message: str
) -> None:
    """Publish how far a training is. Raises TrainingStopped, which ends the work."""
    progressed = event.follow(
        TrainingProgressed,
        uuid7(),  # each progress is a new event, also in a repeated training
        training_id=event.training_id,
        progress=percent,
        message=message,
    )
    publish_while_open(progressed, event, services, lock=False)


def training_failed(event: Event, reason: str) -> Event:
    """The event that ends a training without a model; `reason` is a sentence for the user."""
    if not isinstance(event, TrainingRequested):
        raise InsightsError(f"{event.type} asks for no training.")
    return event.follow(
        TrainingFailed,
        training_id=event.training_id,
        reason=reason[:500],
        model_name=event.model_name,
        algorithm=event.algorithm,
    )
