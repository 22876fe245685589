"""What happened to trainings, from the request to the model."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, NonNegativeFloat, NonNegativeInt

from events.event import Reference, Text, UserEvent

ProblemType = Literal["classification", "regression"]
Percent = Annotated[float, Field(ge=0, le=100)]


class TrainingEvent(UserEvent):
    """An event in the life of one training."""

    training_id: Reference


class TrainingRequested(TrainingEvent):
    """A user asked for a model that predicts the column `target`, trained on the data set's CSV.

    `path` is the path of the CSV in the storage folder, by default `{user_id}/{dataset_id}.csv`. It
    must begin with `{user_id}/`, or be `{dataset_id}.csv` of an old data set of the same user.
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
    """The data was read and the model is being fitted; `dataset_size` is in rows."""

    type = "training.started"

    dataset_id: Reference
    algorithm: Reference
    problem_type: ProblemType
    dataset_size: NonNegativeInt
    hyperparameters: dict[str, JsonValue] = Field(default_factory=dict)


class TrainingProgressed(TrainingEvent):
    """A training got further: `progress` in percent, and a `message` for the user."""

    type = "training.progressed"

    progress: Percent
    message: Text


class TrainingCompleted(TrainingEvent):
    """The model is trained and stored; `accuracy` is from 0 to 1 (null for a regression)."""

    type = "training.completed"

    model_id: Reference
    model_name: Text
    algorithm: Reference
    problem_type: ProblemType
    duration_seconds: NonNegativeFloat
    accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    metrics: dict[str, float] = Field(default_factory=dict)


class TrainingFailed(TrainingEvent):
    """The training ended without a model; `reason` is a sentence for the user."""

    type = "training.failed"

    reason: Text
    model_name: Text | None = None
    algorithm: Reference | None = None


class TrainingCancelled(TrainingEvent):
    """The user cancelled the training, which stops it if it has not ended yet."""

    type = "training.cancelled"
