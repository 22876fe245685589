"""Which event gives which capture at PostHog: its name, its properties, the person's properties."""

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

PersonProperties = Callable[[Any, User | None], Mapping[str, Any]]
"""From an event and its user (None where not looked up) to properties of PostHog's person."""


@dataclass(frozen=True)
class Tracked:
    """What PostHog gets of one type of event.

    `name`: the event's name there. `properties`: the event's fields that go along. `person` and
    `person_once`: the person's properties that it sets (`$set`), or sets where they are not set
    yet (`$set_once`).
    """

    name: str
    properties: tuple[str, ...] = ()
    person: PersonProperties | None = None
    person_once: PersonProperties | None = None


def from_profile(_event: UserEvent, user: User | None) -> Mapping[str, Any]:
    if user is None or not user.known:
        return {}
    return {"email": user.email, "name": user.name, "plan": user.plan}


def from_event_or_profile(event: Any, user: User | None) -> Mapping[str, Any]:
    """As the profile says, and where it says nothing, as the event does."""
    return {"email": event.email, "name": event.name} | known_only(from_profile(event, user))


def first_seen_by_profile(_event: UserEvent, user: User | None) -> Mapping[str, Any]:
    return {"created_at": user.created_at.isoformat()} if user and user.created_at else {}


def first_seen_now(event: UserEvent, _user: User | None) -> Mapping[str, Any]:
    return {"created_at": event.occurred_at.isoformat(), "plan": "free"}


def plan_from_profile_or_event(event: Any, user: User | None) -> Mapping[str, Any]:
    return {"plan": user.plan if user and user.known else event.plan}


TRACKED: Mapping[type[UserEvent], Tracked] = {
    UserSignedUp: Tracked(
        "user_signed_up", person=from_event_or_profile, person_once=first_seen_now
    ),
    UserEmailVerified: Tracked("email_verified"),
    UserLoggedIn: Tracked(
        "user_logged_in", ("method",), person=from_profile, person_once=first_seen_by_profile
    ),
    UserUpdated: Tracked("user_updated", person=from_event_or_profile),
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
    SubscriptionActivated: Tracked(
        "subscription_activated", ("plan",), person=plan_from_profile_or_event
    ),
    PlanChanged: Tracked(
        "plan_changed", ("plan", "previous_plan"), person=plan_from_profile_or_event
    ),
}


def capture_of(event: UserEvent, user: User | None) -> Capture:
    """The capture of an event of a type in TRACKED.

    What is not known is left out, so that it overwrites nothing. Of a user whose account is
    closed no properties of the person are set: what they did still counts, who they were does not.
    """
    tracked = TRACKED[type(event)]
    is_deleted = user is not None and user.deleted

    def person(properties: PersonProperties | None) -> dict[str, Any] | None:
        return None if properties is None or is_deleted else known_only(properties(event, user))

    return Capture(
        name=tracked.name,
        user_id=event.user_id,
        # PostHog drops a capture that has the uuid, name and time of an earlier one.
        uuid=event.id,
        at=event.occurred_at,
        properties=known_only({name: getattr(event, name) for name in tracked.properties}),
        set=person(tracked.person),
        set_once=person(tracked.person_once),
    )


def known_only(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that have a value."""
    return {name: value for name, value in properties.items() if value is not None}
