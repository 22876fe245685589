"""What happened to the limits of a plan. Published by the handler that counts usage."""

from typing import Annotated, Literal

from pydantic import NonNegativeInt, StringConstraints

from events.event import UserEvent

Resource = Literal["datasets", "trainings", "predictions"]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}$")]


class LimitEvent(UserEvent):
    """An event about the usage of a resource in a month (UTC); `limit` is that of the plan."""

    resource: Resource
    month: Month
    current: NonNegativeInt
    limit: NonNegativeInt


class UsageThresholdReached(LimitEvent):
    """Usage reached `threshold` percent of the limit, for the first time in the month."""

    type = "usage.threshold_reached"
    is_internal = True

    threshold: Literal[80, 100]


class UsageLimitExceeded(LimitEvent):
    """Usage exceeded the limit, for the first time in the month."""

    type = "usage.limit_exceeded"
    is_internal = True
