"""What is remembered: the tables."""

from models.activity import ActivityRow
from models.base import Base
from models.deliveries import DeliveryRow, HandlerRow, SubscriptionRow
from models.emails import EmailRow
from models.events import EventRow, EventTypeRow
from models.profiles import ProfileNewsRow, ProfileRow
from models.usage import UsageLedgerRow, UsageLimitsRow, UsageMarkRow

__all__ = [
    "ActivityRow",
    "Base",
    "DeliveryRow",
    "EmailRow",
    "EventRow",
    "EventTypeRow",
    "HandlerRow",
    "ProfileNewsRow",
    "ProfileRow",
    "SubscriptionRow",
    "UsageLedgerRow",
    "UsageLimitsRow",
    "UsageMarkRow",
]
