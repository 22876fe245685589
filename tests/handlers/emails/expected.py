"""The events that emails follow from, and the variables of each email."""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from events import Event, SubscriptionActivated, TrainingFailed, UsageThresholdReached
from handlers.send_once import EmailTemplate
from tests.factories import signed_up, training_completed

APP = "http://localhost:3000"


def training_failed(user_id: UUID) -> TrainingFailed:
    return TrainingFailed(
        user_id=user_id, training_id="t-1", reason="The column is empty.", model_name="Churn"
    )


def threshold_reached(
    user_id: UUID, threshold: Literal[80, 100] = 80, month: str = "2026-11"
) -> UsageThresholdReached:
    return UsageThresholdReached(
        user_id=user_id,
        resource="predictions",
        month=month,
        current=80,
        limit=100,
        threshold=threshold,
    )


def subscription_activated(user_id: UUID) -> SubscriptionActivated:
    return SubscriptionActivated(user_id=user_id, subscription_id="sub_1", plan="pro")


EXPECTED: dict[EmailTemplate, tuple[Callable[[UUID], Event], dict[str, Any]]] = {
    EmailTemplate.WELCOME: (
        signed_up,
        {"name": "Ada", "dashboard_url": f"{APP}/dashboard", "docs_url": f"{APP}/docs"},
    ),
    EmailTemplate.TRAINING_COMPLETE: (
        training_completed,
        {"model_name": "Churn", "accuracy": "92.31", "view_model_url": f"{APP}/models/m-1"},
    ),
    EmailTemplate.TRAINING_FAILED: (
        training_failed,
        {
            "model_name": "Churn",
            "reason": "The column is empty.",
            "dashboard_url": f"{APP}/dashboard",
        },
    ),
    EmailTemplate.LIMIT_WARNING: (
        threshold_reached,
        {"resource": "predictions", "current": 80, "limit": 100, "upgrade_url": f"{APP}/pricing"},
    ),
    EmailTemplate.SUBSCRIPTION_CONFIRMED: (
        subscription_activated,
        {"plan": "Pro", "dashboard_url": f"{APP}/dashboard"},
    ),
}
