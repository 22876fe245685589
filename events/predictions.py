"""What happened to predictions."""

from typing import Annotated

from pydantic import Field

from events.event import Reference, UserEvent

Count = Annotated[int, Field(ge=1, le=1_000_000)]


class PredictionRequested(UserEvent):
    """A user asked a model for predictions of `prediction_count` rows."""

    type = "prediction.requested"

    model_id: Reference
    batch: bool = False
    prediction_count: Count = 1


class PredictionMade(UserEvent):
    """A model predicted `prediction_count` rows; each counts against the plan."""

    type = "prediction.made"

    model_id: Reference
    batch: bool = False
    prediction_count: Count = 1
