"""What happened to trainings, from the wish to the model."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, NonNegativeFloat, NonNegativeInt

from events.event import Reference, Text, UserEvent

ProblemType = Literal["classification", "regression"]
Percent = Annotated[float, Field(ge=0, le=100)]


class TrainingEvent(UserEvent):
    """An event in the life of one training."""

    training_id: Reference


class TrainingRequested(TrainingEvent):
    """A person wants a model of the column `target`, learnt from the data set's CSV.

    `path` is where the CSV lies in the storage folder, by default `{dataset_id}.csv`.
    """

    type = "training.requested"

    dataset_id: Reference
    target: Text
    model_name: Text
    algorithm: Reference = "random_forest"
    problem_type: ProblemType | None = None
    hyperparameters: dict[str, JsonValue] = Field(default_factory=dict)
    path: Text | None = None


class TrainingStarted(TrainingEvent):
    """A worker began; `dataset_size` is in rows."""

    type = "training.started"

    dataset_id: Reference
    algorithm: Reference
    problem_type: ProblemType
    dataset_size: NonNegativeInt
    hyperparameters: dict[str, JsonValue] = Field(default_factory=dict)


class TrainingProgressed(TrainingEvent):
    """How far the training is, in percent, and what it does, for a person to read."""

    type = "training.progressed"

    progress: Percent
    message: Text


class TrainingCompleted(TrainingEvent):
    """There is a model; `accuracy` is a share of 1 (null for a regression)."""

    type = "training.completed"

    model_id: Reference
    model_name: Text
    algorithm: Reference
    problem_type: ProblemType
    duration_seconds: NonNegativeFloat
    accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    metrics: dict[str, float] = Field(default_factory=dict)


class TrainingFailed(TrainingEvent):
    """There is no model; `reason` is a sentence that the person understands."""

    type = "training.failed"

    reason: Text
    model_name: Text | None = None
    algorithm: Reference | None = None


class TrainingCancelled(TrainingEvent):
    """The person changed their mind."""

    type = "training.cancelled"
