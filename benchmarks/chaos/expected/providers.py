"""What providers must have received: emails, milestones, and events of these types."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from benchmarks.chaos.expected.usage import UsageMark
from events import (
    DatasetUploaded,
    Event,
    SubscriptionActivated,
    TrainingCompleted,
    TrainingFailed,
    UserDeleted,
    UserSignedUp,
    named_id,
)

# Written down again on purpose: a type that the analytics handler forgets must be found.
ANALYTICS_TYPES = (
    "dataset.deleted",
    "dataset.uploaded",
    "plan.changed",
    "prediction.made",
    "subscription.activated",
    "training.cancelled",
    "training.completed",
    "training.failed",
    "training.started",
    "usage.limit_exceeded",
    "usage.threshold_reached",
    "user.deleted",
    "user.signed_up",
    "user.updated",
)


class ExpectedEmail(NamedTuple):
    """One email by its idempotency key; `description` names it in a report."""

    key: str
    user_id: UUID
    description: str


def expected_emails(events: Iterable[Event], marks: Iterable[UsageMark]) -> Iterator[ExpectedEmail]:
    """Every email that follows; one that follows from two events comes twice under one key."""
    for event in events:
        match event:
            case UserSignedUp(user_id=user):
                yield email(user, "welcome", "")
            case TrainingCompleted(user_id=user, training_id=training):
                yield email(user, "training_complete", training)
            case TrainingFailed(user_id=user, training_id=training):
                yield email(user, "training_failed", training)
            case SubscriptionActivated(user_id=user, subscription_id=subscription):
                yield email(user, "subscription_confirmed", subscription)
    for mark in marks:
        if mark.mark == "80":
            yield email(
                mark.user_id, "limit_warning", f"{mark.resource} {mark.month} of {mark.limit}"
            )


def email(user: UUID, template: str, about: str) -> ExpectedEmail:
    """An email under the key that is documented for it."""
    key = str(named_id("email", user, template, about))
    return ExpectedEmail(key, user, f"{template} {about}")


def milestone_keys(events: Iterable[Event]) -> list[str]:
    """The keys of the events that Loops gets once per user: a first data set, a first training."""
    names = {DatasetUploaded: "dataset_uploaded", TrainingCompleted: "training_completed"}
    milestones = {
        (event.user_id, names[type(event)])
        for event in events
        if isinstance(event, DatasetUploaded | TrainingCompleted)
    }
    return [str(named_id("milestone", *milestone)) for milestone in milestones]


def deleted_users(events: Iterable[Event]) -> set[UUID]:
    return {event.user_id for event in events if isinstance(event, UserDeleted)}
