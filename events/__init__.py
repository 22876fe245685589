"""What happened: the events, their catalogue, and how to publish them."""

from events.billing import PlanChanged, SubscriptionActivated
from events.catalogue import Catalogue, load_catalogue
from events.datasets import DatasetDeleted, DatasetUploaded
from events.errors import DuplicateEvent, UnknownEvent
from events.event import Event, UserEvent
from events.identity import named_id, uuid7
from events.predictions import PredictionMade, PredictionRequested
from events.publish import carry_trace, publish, ring_after_commit, ring_when_committed
from events.schedule import InactivityDue, PruneDue
from events.trainings import (
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
)
from events.usage import UsageLimitExceeded, UsageThresholdReached
from events.users import (
    AnalyticsChoiceMade,
    NewsletterSubscribed,
    UserDeleted,
    UserEmailVerified,
    UserErased,
    UserInactive,
    UserLoggedIn,
    UserSignedUp,
    UserUpdated,
)

__all__ = [
    "AnalyticsChoiceMade",
    "Catalogue",
    "DatasetDeleted",
    "DatasetUploaded",
    "DuplicateEvent",
    "Event",
    "InactivityDue",
    "NewsletterSubscribed",
    "PlanChanged",
    "PredictionMade",
    "PredictionRequested",
    "PruneDue",
    "SubscriptionActivated",
    "TrainingCancelled",
    "TrainingCompleted",
    "TrainingFailed",
    "TrainingProgressed",
    "TrainingRequested",
    "TrainingStarted",
    "UnknownEvent",
    "UsageLimitExceeded",
    "UsageThresholdReached",
    "UserDeleted",
    "UserEmailVerified",
    "UserErased",
    "UserEvent",
    "UserInactive",
    "UserLoggedIn",
    "UserSignedUp",
    "UserUpdated",
    "carry_trace",
    "load_catalogue",
    "named_id",
    "publish",
    "ring_after_commit",
    "ring_when_committed",
    "uuid7",
]
