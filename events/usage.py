"""What happened to the limits of a plan."""

from typing import Annotated, Literal

from pydantic import NonNegativeInt, StringConstraints

from events.event import UserEvent

Resource = Literal["datasets", "trainings", "predictions"]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}$")]


class LimitEvent(UserEvent):
    """An event about how much of a resource was used in a month, in UTC."""

    resource: Resource
    month: Month
    current: NonNegativeInt
    limit: NonNegativeInt


class UsageThresholdReached(LimitEvent):
    """The use of a resource reached `threshold` percent of the plan, for the first time."""

    type = "usage.threshold_reached"
    is_internal = True

    threshold: Literal[80, 100]


class UsageLimitExceeded(LimitEvent):
    """More was used than the plan has, for the first time in the month."""

    type = "usage.limit_exceeded"
    is_internal = True
