"""What is written in which email: its template, what it is about, and the template's variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from events import (
    Event,
    SubscriptionActivated,
    TrainingCompleted,
    TrainingFailed,
    UsageThresholdReached,
    UserSignedUp,
)
from services import Services

NAMELESS = "there"
WARN_WHEN_FULL = "warn-when-limit-is-reached"
WARNED_AT = 80


@dataclass(frozen=True)
class EmailContent:
    """`about` tells apart the mails that one person may get by one template."""

    template: str
    about: str
    variables: Mapping[str, Any]


def content_for(event: Event, services: Services) -> EmailContent | None:
    """What to write after an event; None where nothing is to be written."""
    links = services.links
    match event:
        case UserSignedUp(name=name):
            return EmailContent(
                "welcome",
                "",
                {
                    "name": (name or "").strip() or NAMELESS,
                    "dashboard_url": links.dashboard,
                    "docs_url": links.docs,
                },
            )
        case SubscriptionActivated(subscription_id=about, plan=plan):
            variables = {"plan": plan.capitalize(), "dashboard_url": links.dashboard}
            return EmailContent("subscription_confirmed", about, variables)
        case TrainingCompleted(training_id=about, model_id=model, model_name=name):
            variables = {
                "model_name": name,
                "accuracy": percent(event),
                "view_model_url": links.model(model),
            }
            return EmailContent("training_complete", about, variables)
        case TrainingFailed(training_id=about, reason=reason, model_name=name):
            variables = {
                "model_name": name or "Your model",
                "reason": reason,
                "dashboard_url": links.dashboard,
            }
            return EmailContent("training_failed", about, variables)
        case UsageThresholdReached():
            return warning(event, services)
        case _:
            raise TypeError(event.type)


def warning(event: UsageThresholdReached, services: Services) -> EmailContent | None:
    """A warning at 80% of a limit; at 100% too for those for whom that is being tried out."""
    about = f"{event.resource} {event.month}"
    if event.threshold != WARNED_AT:
        if not services.is_on(WARN_WHEN_FULL, event.user_id):
            return None
        about += f" {event.threshold}"
    variables = {
        "resource": event.resource,
        "current": event.current,
        "limit": event.limit,
        "upgrade_url": services.links.pricing,
    }
    return EmailContent("limit_warning", about, variables)


def percent(event: TrainingCompleted) -> str:
    """How good a model is, in percent with two decimals: its accuracy, or else its R².

    An R² below 0 (worse than guessing the mean) is told as 0.
    """
    score = event.accuracy if event.accuracy is not None else event.metrics.get("r2", 0.0)
    return f"{100 * max(0.0, score):.2f}"
