"""Trains the models that people asked for, telling live how far it is."""

import time

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

OUR_FAULT = "Something went wrong on our side while we trained this model. Please try again."


def give_up(event: Event) -> Event:
    """What a person is told when their training kept failing through no fault of theirs."""
    return failed(event, OUR_FAULT)


@external("trainings", TrainingRequested, concurrency=1, max_attempts=3, on_death=give_up)
def train_model(event: TrainingRequested, services: Services, _key: str) -> Event:
    """Train, store the model, and say how good it is, or in a sentence why there is none."""
    from learning import LearningError  # noqa: PLC0415 (pandas takes a second to import)

    try:
        return learn(event, services)
    except (LearningError, NotStored) as error:
        return failed(event, str(error))


def learn(event: TrainingRequested, services: Services) -> Event:
    """The training itself. A repetition overwrites the model and starts the story anew."""
    from learning import Throttle, prepare, save  # noqa: PLC0415

    began = time.monotonic()
    with services.storage.open(event.path or f"{event.dataset_id}.csv") as table:
        task = prepare(
            table,
            target=event.target,
            algorithm=event.algorithm,
            problem_type=event.problem_type,
            hyperparameters=event.hyperparameters,
        )
    services.publish(
        event.follow(
            TrainingStarted,
            training_id=event.training_id,
            dataset_id=event.dataset_id,
            algorithm=event.algorithm,
            problem_type=task.problem_type,
            dataset_size=task.row_count,
            hyperparameters=event.hyperparameters,
        )
    )
    trained = task.learn(Throttle(lambda at, message: tell(event, services, at, message)))
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


def tell(event: TrainingRequested, services: Services, percent: float, message: str) -> None:
    """Publish how far the training is."""
    services.publish(
        event.follow(
            TrainingProgressed,
            uuid7(),
            training_id=event.training_id,
            progress=percent,
            message=message,
        )
    )


def failed(event: Event, reason: str) -> Event:
    """The event that ends a training without a model."""
    if not isinstance(event, TrainingRequested):
        raise InsightsError(f"{event.type} asks for no training.")
    return event.follow(
        TrainingFailed,
        training_id=event.training_id,
        reason=reason[:500],
        model_name=event.model_name,
        algorithm=event.algorithm,
    )
