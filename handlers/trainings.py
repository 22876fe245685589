"""Trains the models that users asked for, and publishes how far each training is."""

import time
from typing import TYPE_CHECKING

from errors import InsightsError
from events import (
    Event,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
    uuid7,
)
from handlers.registry import external
from services import Services
from services.storage import NotStored

if TYPE_CHECKING:
    from learning import Training

INTERNAL_ERROR = "Something went wrong on our side while we trained this model. Please try again."


def failed_for_good(event: Event) -> Event:
    """The event of a training that kept failing through no fault of the user's."""
    return training_failed(event, INTERNAL_ERROR)


# One at a time per process: trainings compete for CPU and memory. Few attempts: each may take
# minutes.
@external("trainings", TrainingRequested, concurrency=1, max_attempts=3, on_death=failed_for_good)
def train_model(event: TrainingRequested, services: Services, _key: str) -> Event:
    """Train and store the model. Return TrainingCompleted, or TrainingFailed with a reason."""
    from learning import LearningError  # noqa: PLC0415 (pandas takes a second to import)

    try:
        return train(event, services)
    except (LearningError, NotStored) as error:
        return training_failed(event, str(error))


def train(event: TrainingRequested, services: Services) -> Event:
    """One training. A repeated one overwrites the model; its TrainingStarted is not new.

    Raises LearningError where the data cannot be learnt from, NotStored where it is missing.
    """
    from learning import ThrottledProgress, prepare, save  # noqa: PLC0415

    began = time.monotonic()
    with services.storage.open(event.path or f"{event.dataset_id}.csv") as table:
        training = prepare(
            table,
            target=event.target,
            algorithm=event.algorithm,
            problem_type=event.problem_type,
            hyperparameters=event.hyperparameters,
        )
    services.publish(training_started(event, training))
    trained = training.run(
        ThrottledProgress(lambda at, message: publish_progress(event, services, at, message))
    )
    with services.storage.open(f"models/{event.training_id}.skops", "wb") as file:
        save(trained, file)
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
    services.publish(
        event.follow(
            TrainingProgressed,
            uuid7(),  # each progress is a new event, also in a repeated training
            training_id=event.training_id,
            progress=percent,
            message=message,
        )
    )


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
