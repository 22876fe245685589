"""Which emails must go out, and who must be told of: worked out from what was published."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from benchmarks.chaos.ledger import Mark
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

TRACKED = (
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
"""The types of events that analytics is told of."""


class EmailContent(NamedTuple):
    """One email, by its key; who leaves may get it or not."""

    key: str
    user_id: UUID
    about: str


def letters(events: Iterable[Event], marks: Iterable[Mark]) -> Iterator[EmailContent]:
    """Every email that follows, each once."""
    for event in events:
        match event:
            case UserSignedUp(user_id=user):
                yield letter(user, "welcome", "")
            case TrainingCompleted(user_id=user, training_id=training):
                yield letter(user, "training_complete", training)
            case TrainingFailed(user_id=user, training_id=training):
                yield letter(user, "training_failed", training)
            case SubscriptionActivated(user_id=user, subscription_id=subscription):
                yield letter(user, "subscription_confirmed", subscription)
    for mark in marks:
        if mark.mark == "80":
            yield letter(mark.user_id, "limit_warning", f"{mark.resource} {mark.month}")


def letter(user: UUID, template: str, about: str) -> EmailContent:
    """An email under the key that is documented for it."""
    return EmailContent(str(named_id("email", user, template, about)), user, f"{template} {about}")


def firsts(events: Iterable[Event]) -> list[str]:
    """The keys of what Loops is told once of each user."""
    names = {DatasetUploaded: "dataset_uploaded", TrainingCompleted: "training_completed"}
    deeds = {
        (event.user_id, names[type(event)])
        for event in events
        if isinstance(event, DatasetUploaded | TrainingCompleted)
    }
    return [str(named_id("milestone", *deed)) for deed in deeds]


def leavers(events: Iterable[Event]) -> set[UUID]:
    """Who closes their account."""
    return {event.user_id for event in events if isinstance(event, UserDeleted)}
