"""Keeps Loops's contacts in step with the users, and tells it what starts and stops a workflow."""

from datetime import timedelta

from errors import ProviderRefused
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
    named_id,
)
from handlers.contacts.profile_sync import follow_profile, look_up
from handlers.emails.recipients import require_address
from handlers.emails.send_once import send_once
from handlers.ordering import too_early
from handlers.outcomes import Failed
from handlers.registry import external
from models import activity
from models import emails as ledger
from models.emails import EmailId
from services import Services
from services.loops import Loops

MILESTONES = {DatasetUploaded: "dataset_uploaded", TrainingCompleted: "training_completed"}


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
)
def keep_contacts(event: Event, services: Services, key: str) -> None:
    """Tell Loops what an event means for a contact."""
    loops = services.loops
    if loops is None:
        return
    match event:
        case NewsletterSubscribed():
            subscribed_at = event.occurred_at.isoformat()
            loops.write_contact(email=event.email, newsletter=True, subscribedAt=subscribed_at)
        case DatasetUploaded() | TrainingCompleted():
            reach_milestone(event, MILESTONES[type(event)], services, loops)
        case UserInactive():
            tell_of_absence(event, key, services, loops)
        case UserEvent():
            synchronise(event, services, loops)


def synchronise(event: UserEvent, services: Services, loops: Loops) -> None:
    """Write the contact as the profile is now, again where it changed meanwhile.

    Only once `profiles` has done with the event: then the last to write has seen the last change,
    in whatever order events are handled, and nobody brings back who has left.
    """
    for outcome in too_early([event], ["profiles"], services).values():
        raise outcome
    follow_profile(event, services, loops)


def reach_milestone(event: UserEvent, name: str, services: Services, loops: Loops) -> None:
    """Tell Loops when a user does something for the first time."""
    news = EmailId(event.user_id, f"workflow {name}", "")
    if services.transaction(lambda session: ledger.is_sent(session, news)):
        return
    tell(event, name, news, str(named_id("milestone", event.user_id, name)), services, loops)


def tell_of_absence(event: UserInactive, key: str, services: Services, loops: Loops) -> None:
    """Tell Loops that a user stays away, unless they have come back meanwhile."""
    since = event.occurred_at - timedelta(days=event.days)
    if services.transaction(lambda session: activity.is_back(session, event.user_id, since)):
        return
    news = EmailId(event.user_id, "workflow user_inactive", str(event.id))
    tell(event, "user_inactive", news, key, services, loops)


def tell(
    event: UserEvent, name: str, news: EmailId, key: str, services: Services, loops: Loops
) -> None:
    """Tell Loops what a contact did, once, unless they have left.

    Raises Failed where Loops refuses, as it does while an address is still another contact's.
    """
    found = look_up(event, services)
    if found.deleted:
        # An earlier try, whose answer got lost, may have brought the contact back.
        loops.delete_contact(user_id=event.user_id)
        return
    email = require_address(found, event)

    def send() -> None:
        loops.tell(name, email=email, user_id=event.user_id, key=key)

    def look_again() -> None:
        if look_up(event, services) != found:
            follow_profile(event, services, loops)

    try:
        send_once(news, event.id, services, send, look_again)
    except ProviderRefused as refused:
        raise Failed(str(refused)) from refused
