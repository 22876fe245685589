"""Which email follows from which event: its template, what it is about, and its variables."""

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
from handlers.send_once import EmailTemplate
from services import Services

NAMELESS = "there"  # "Welcome, there" reads better than an empty name
WARN_WHEN_FULL = "warn-when-limit-is-reached"  # the feature flag's key at PostHog
WARNED_AT = 80  # percent of the limit, for everybody; at 100 only where the flag is on


@dataclass(frozen=True)
class EmailContent:
    """`about` tells apart the emails that one user may get by one template."""

    template: EmailTemplate
    about: str
    variables: Mapping[str, Any]


def content_for(event: Event, services: Services) -> EmailContent | None:
    """The email that follows from an event, None where none does.

    Raises TypeError for a type that the two handlers do not follow.
    """
    links = services.links
    match event:
        case UserSignedUp(name=name):
            return EmailContent(
                EmailTemplate.WELCOME,
                "",
                {
                    "name": (name or "").strip() or NAMELESS,
                    "dashboard_url": links.dashboard,
                    "docs_url": links.docs,
                },
            )
        case SubscriptionActivated(subscription_id=about, plan=plan):
            variables = {"plan": plan.capitalize(), "dashboard_url": links.dashboard}
            return EmailContent(EmailTemplate.SUBSCRIPTION_CONFIRMED, about, variables)
        case TrainingCompleted(training_id=about, model_id=model, model_name=name):
            variables = {
                "model_name": name,
                "accuracy": percent(event),
                "view_model_url": links.model(model),
            }
            return EmailContent(EmailTemplate.TRAINING_COMPLETE, about, variables)
        case TrainingFailed(training_id=about, reason=reason, model_name=name):
            variables = {
                "model_name": name or "Your model",
                "reason": reason,
                "dashboard_url": links.dashboard,
            }
            return EmailContent(EmailTemplate.TRAINING_FAILED, about, variables)
        case UsageThresholdReached():
            return warning(event, services)
        case _:
            raise TypeError(event.type)


def warning(event: UsageThresholdReached, services: Services) -> EmailContent | None:
    """The warning that a limit is near; that it is reached, only where the feature flag is on."""
    # With the limit: whoever changes to another plan is warned of its limit too.
    about = f"{event.resource} {event.month} of {event.limit}"
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
    return EmailContent(EmailTemplate.LIMIT_WARNING, about, variables)


def percent(event: TrainingCompleted) -> str:
    """How good a model is, in percent with two decimals: its accuracy, or else its R².

    An R² below 0 (worse than guessing the mean) is given as 0.
    """
    score = event.accuracy if event.accuracy is not None else event.metrics.get("r2", 0.0)
    return f"{100 * max(0.0, score):.2f}"
