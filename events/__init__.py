"""What happened: events, their catalogue, and how to publish them."""

from events.catalogue import Catalogue, load_catalogue
from events.datasets import DatasetDeleted, DatasetUploaded
from events.errors import DuplicateEvent, UnknownEvent
from events.event import Event, UserEvent
from events.identity import named_id, uuid7
from events.newsletter import NewsletterSubscribed
from events.predictions import PredictionMade, PredictionRequested
from events.publish import publish, ring_after_commit
from events.trainings import (
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
)
from events.usage import UsageLimitExceeded, UsageThresholdReached
from events.users import UserDeleted, UserEmailVerified, UserLoggedIn, UserSignedUp, UserUpdated

__all__ = [
    "Catalogue",
    "DatasetDeleted",
    "DatasetUploaded",
    "DuplicateEvent",
    "Event",
    "NewsletterSubscribed",
    "PredictionMade",
    "PredictionRequested",
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
    "UserEvent",
    "UserLoggedIn",
    "UserSignedUp",
    "UserUpdated",
    "load_catalogue",
    "named_id",
    "publish",
    "ring_after_commit",
    "uuid7",
]
