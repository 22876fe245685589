"""What is remembered: one file or folder per table, with every statement that writes it."""

from models.activity import ActivityRow
from models.base import Base
from models.batches import BatchRow
from models.deliveries.table import DeliveryRow
from models.emails import EmailRow
from models.event_types import EventTypeRow
from models.events import EventRow
from models.handlers.table import HandlerRow
from models.owners import OwnerRow
from models.plan_limits import PlanLimitRow
from models.processes import ProcessRow
from models.profile_news import ProfileNewsRow
from models.profiles import AddedColumnRow, ProfileRow
from models.providers import ProviderRow
from models.subscriptions import SubscriptionRow
from models.trainings import TrainingRow
from models.usage_datasets import UsageDatasetRow
from models.usage_ledger import UsageLedgerRow
from models.usage_limits import UsageLimitsRow
from models.usage_marks import UsageMarkRow

__all__ = [
    "ActivityRow",
    "AddedColumnRow",
    "Base",
    "BatchRow",
    "DeliveryRow",
    "EmailRow",
    "EventRow",
    "EventTypeRow",
    "HandlerRow",
    "OwnerRow",
    "PlanLimitRow",
    "ProcessRow",
    "ProfileNewsRow",
    "ProfileRow",
    "ProviderRow",
    "SubscriptionRow",
    "TrainingRow",
    "UsageDatasetRow",
    "UsageLedgerRow",
    "UsageLimitsRow",
    "UsageMarkRow",
]
