"""What happened to plans and subscriptions."""

from typing import Literal

from events.event import Reference, UserEvent

Plan = Literal["free", "pro", "enterprise"]


class SubscriptionActivated(UserEvent):
    """A subscription was paid for the first time and is active from now on."""

    type = "subscription.activated"

    subscription_id: Reference
    plan: Plan


class PlanChanged(UserEvent):
    """A user's plan changed. The profile has the new plan before this is published."""

    type = "plan.changed"

    plan: Plan
    previous_plan: Plan | None = None
