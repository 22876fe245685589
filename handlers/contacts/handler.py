"""Decides what an event means for a contact at Loops."""

from events import (
    DatasetUploaded,
    Event,
    NewsletterSubscribed,
    PlanChanged,
    TrainingCompleted,
    UserDeleted,
    UserEvent,
    UserInactive,
    UserSignedUp,
    UserUpdated,
)
from handlers.contacts.profile_sync import sync_contact
from handlers.contacts.workflow_events import send_inactivity, send_milestone
from handlers.final_states import too_late
from handlers.outcomes import require_client
from handlers.registry import external
from handlers.send_once import WorkflowEvent
from services import Services
from services.loops import Loops


@external(
    "contacts",
    UserSignedUp,
    UserUpdated,
    UserDeleted,
    PlanChanged,
    DatasetUploaded,
    TrainingCompleted,
    UserInactive,
    NewsletterSubscribed,
    # Then the last to write has seen the last change, in whatever order events come, and a closed
    # account stays closed.
    after=("profiles",),
    provider="loops",
)
def keep_contacts(event: Event, services: Services, key: str) -> None:
    """Write the contact, or send the event that starts or stops a workflow."""
    loops = require_client(services.loops, "Loops")
    match event:
        case NewsletterSubscribed():
            subscribe(event, loops)
        case DatasetUploaded():
            send_milestone(event, WorkflowEvent.DATASET_UPLOADED, services, loops)
        case TrainingCompleted():
            if services.transaction(lambda session: too_late([event], session)):
                return
            send_milestone(event, WorkflowEvent.TRAINING_COMPLETED, services, loops)
        case UserInactive():
            send_inactivity(event, key, services, loops)
        case UserEvent():
            sync_contact(event, services, loops)


def subscribe(event: NewsletterSubscribed, loops: Loops) -> None:
    """Write that an address wants the newsletter, and put it on the newsletter's list, if any.

    Anybody can type any address: a list with double opt-in has Loops ask the address itself.
    """
    lists = {"mailingLists": {loops.newsletter_list: True}} if loops.newsletter_list else {}
    subscribed_at = event.occurred_at.isoformat()
    loops.write_contact(email=event.email, newsletter=True, subscribedAt=subscribed_at, **lists)
