"""What product analytics is told of which event: its name there, and its properties."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from events import (
    DatasetDeleted,
    DatasetUploaded,
    PlanChanged,
    PredictionMade,
    SubscriptionActivated,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingStarted,
    UsageLimitExceeded,
    UsageThresholdReached,
    UserDeleted,
    UserEmailVerified,
    UserEvent,
    UserInactive,
    UserLoggedIn,
    UserSignedUp,
    UserUpdated,
)
from models.profiles import User
from services.posthog import Capture

Facts = Callable[[Any, User | None], Mapping[str, Any]]


@dataclass(frozen=True)
class Tracked:
    """An event's name at PostHog, the fields that go with it, and what it tells of the person."""

    name: str
    fields: tuple[str, ...] = ()
    person: Facts | None = None
    person_once: Facts | None = None


def as_told(event: Any, known: User | None) -> Mapping[str, Any]:
    """Who a person is: as the profile says, and where it says nothing, as the event does."""
    return {"email": event.email, "name": event.name} | told(as_known(event, known))


def as_known(_event: UserEvent, known: User | None) -> Mapping[str, Any]:
    """Who a person is, as the profile says."""
    if known is None or not known.known:
        return {}
    return {"email": known.email, "name": known.name, "plan": known.plan}


def since(_event: UserEvent, known: User | None) -> Mapping[str, Any]:
    """Since when a person has been here."""
    return {"created_at": known.created_at.isoformat()} if known and known.created_at else {}


def from_now(event: UserEvent, _known: User | None) -> Mapping[str, Any]:
    """A person is here since they signed up, at first on the free plan."""
    return {"created_at": event.occurred_at.isoformat(), "plan": "free"}


def as_paying(event: Any, known: User | None) -> Mapping[str, Any]:
    """Which plan a person is on."""
    return {"plan": known.plan if known and known.known else event.plan}


TRACKED: Mapping[type[UserEvent], Tracked] = {
    UserSignedUp: Tracked("user_signed_up", (), as_told, from_now),
    UserEmailVerified: Tracked("email_verified"),
    UserLoggedIn: Tracked("user_logged_in", ("method",), as_known, since),
    UserUpdated: Tracked("user_updated", (), as_told),
    UserDeleted: Tracked("user_deleted"),
    UserInactive: Tracked("user_inactive", ("days",)),
    DatasetUploaded: Tracked(
        "dataset_uploaded", ("filename", "size_mb", "row_count", "column_count")
    ),
    DatasetDeleted: Tracked("dataset_deleted"),
    TrainingStarted: Tracked("training_started", ("algorithm", "problem_type", "dataset_size")),
    TrainingCompleted: Tracked("training_completed", ("duration_seconds", "accuracy", "algorithm")),
    TrainingFailed: Tracked("training_failed", ("algorithm",)),
    TrainingCancelled: Tracked("training_cancelled"),
    PredictionMade: Tracked("prediction_made", ("model_id", "batch", "prediction_count")),
    UsageThresholdReached: Tracked("usage_threshold_reached", ("resource", "threshold")),
    UsageLimitExceeded: Tracked("usage_limit_exceeded", ("resource",)),
    SubscriptionActivated: Tracked("subscription_activated", ("plan",), as_paying),
    PlanChanged: Tracked("plan_changed", ("plan", "previous_plan"), as_paying),
}


def capture_of(event: UserEvent, known: User | None) -> Capture:
    """What PostHog is sent. What is not known is left out, so that it overwrites nothing.

    Nothing is said of who has left: what they did still counts, who they were is forgotten.
    """
    tracked = TRACKED[type(event)]
    left = known is not None and known.deleted

    def facts(of: Facts | None) -> dict[str, Any] | None:
        return None if of is None or left else told(of(event, known))

    return Capture(
        name=tracked.name,
        user_id=event.user_id,
        uuid=event.id,
        at=event.occurred_at,
        properties=told({name: getattr(event, name) for name in tracked.fields}),
        set=facts(tracked.person),
        set_once=facts(tracked.person_once),
    )


def told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that are known."""
    return {name: value for name, value in facts.items() if value is not None}
