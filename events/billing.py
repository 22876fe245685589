"""What happened to plans and subscriptions."""

from typing import Literal

from events.event import Reference, UserEvent

Plan = Literal["free", "pro", "enterprise"]


class SubscriptionActivated(UserEvent):
    """A subscription was paid for the first time and is active."""

    type = "subscription.activated"

    subscription_id: Reference
    plan: Plan


class PlanChanged(UserEvent):
    """A person is on another plan from now on; their profile says so already."""

    type = "plan.changed"

    plan: Plan
    previous_plan: Plan | None = None
