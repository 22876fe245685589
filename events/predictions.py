"""What happened to predictions."""

from pydantic import PositiveInt

from events.event import Reference, UserEvent


class PredictionRequested(UserEvent):
    """A person wants predictions of a model for `prediction_count` rows."""

    type = "prediction.requested"

    model_id: Reference
    batch: bool = False
    prediction_count: PositiveInt = 1


class PredictionMade(UserEvent):
    """A model answered for `prediction_count` rows; each of them counts against the plan."""

    type = "prediction.made"

    model_id: Reference
    batch: bool = False
    prediction_count: PositiveInt = 1
