"""Keeps Loops's contacts in step with the users, and tells it what starts and stops a workflow."""

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
from handlers.order import too_early
from handlers.outcomes import Failed
from handlers.recipients import require_address, require_profile
from handlers.registry import external
from models import milestones
from models.people import Person, person
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
            tell(event, "user_inactive", services, loops, key)
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


def follow_profile(event: UserEvent, services: Services, loops: Loops) -> None:
    """Write until what was written is what the profile is."""
    written = None
    while written != (found := look_up(event, services)):
        if found.deleted:
            loops.delete_contact(event.user_id)
        else:
            require_profile(found, event)
            write(loops, event, found)
        written = found


def write(loops: Loops, event: UserEvent, found: Person) -> None:
    """Write all that Loops knows of a user. Whether they want mail is theirs to say, not ours.

    Raises Failed where Loops refuses, as it does while an address is still another contact's.
    """
    if found.email is None:
        return
    try:
        loops.write_contact(
            email=found.email,
            userId=str(event.user_id),
            firstName=found.first_name,
            signupDate=found.created_at.isoformat() if found.created_at else None,
            plan=found.plan,
        )
    except ProviderRefused as refused:
        raise Failed(str(refused)) from refused


def reach_milestone(event: UserEvent, name: str, services: Services, loops: Loops) -> None:
    """Tell Loops when a user does something for the first time."""
    if services.transaction(lambda session: milestones.is_reached(session, event.user_id, name)):
        return
    tell(event, name, services, loops, str(named_id("milestone", event.user_id, name)))
    services.transaction(lambda session: milestones.reach(session, event.user_id, name))


def tell(event: UserEvent, name: str, services: Services, loops: Loops, key: str) -> None:
    """Tell Loops what a contact did, unless they have left."""
    found = look_up(event, services)
    if found.deleted:
        # An earlier try, whose answer got lost, may have brought the contact back.
        loops.delete_contact(event.user_id)
        return
    email = require_address(found, event)
    loops.tell(name, email=email, user_id=event.user_id, key=key)
    if look_up(event, services) != found:
        follow_profile(event, services, loops)


def look_up(event: UserEvent, services: Services) -> Person:
    """Who the event's user is now."""
    found: Person = services.transaction(lambda session: person(session, event.user_id))
    return found
