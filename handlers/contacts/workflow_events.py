"""Sends Loops the events that start or stop its workflows, each once."""

from datetime import timedelta

from errors import ProviderRefused
from events import UserEvent, UserInactive, named_id
from handlers.contacts.profile_sync import sync_contact
from handlers.missing_profile import look_up_user, require_address
from handlers.outcomes import Failed
from handlers.send_once import WorkflowEvent, send_once
from models import activity
from models import emails as send_log
from models.emails import EmailId
from services import Services
from services.loops import Loops


def send_milestone(
    event: UserEvent, workflow: WorkflowEvent, services: Services, loops: Loops
) -> None:
    """Send that a user did something for the first time."""
    entry = EmailId(event.user_id, workflow.template, "")
    # Asked here too, to spare the look-up of the user: most events are not the first.
    if services.transaction(lambda session: send_log.is_sent(session, entry)):
        return
    # Made of user and milestone, so that two first events at once share the key.
    key = str(named_id("milestone", event.user_id, workflow.value))
    send(event, workflow, entry, key, services, loops)


def send_inactivity(event: UserInactive, key: str, services: Services, loops: Loops) -> None:
    """Send that a user stays away, unless they have come back meanwhile."""
    since = event.occurred_at - timedelta(days=event.days)
    if services.transaction(
        lambda session: activity.was_active_after(session, event.user_id, since)
    ):
        return
    workflow = WorkflowEvent.USER_INACTIVE
    # About this event: each absence is sent, unlike a milestone.
    entry = EmailId(event.user_id, workflow.template, str(event.id))
    send(event, workflow, entry, key, services, loops)


def send(
    event: UserEvent,
    workflow: WorkflowEvent,
    entry: EmailId,
    key: str,
    services: Services,
    loops: Loops,
) -> None:
    """Send a workflow event about the event's user, once, unless their account is closed.

    Raises Failed where Loops refuses, as it does while the address is still another contact's.
    """
    user = look_up_user(event, services)
    if user.deleted:
        # Loops makes a contact of an event about an unknown one. An earlier try whose answer was
        # lost may have brought the contact back.
        loops.delete_contact(user_id=event.user_id)
        return
    address = require_address(user, event, services)

    def send_event() -> None:
        loops.send_event(workflow.value, email=address, user_id=event.user_id, key=key)

    def sync_if_changed() -> None:
        # The event may have made a contact of a user who was deleted or changed meanwhile.
        if look_up_user(event, services) != user:
            sync_contact(event, services, loops)

    try:
        send_once(entry, event.id, services, send_event, sync_if_changed)
    except ProviderRefused as refused:
        raise Failed(str(refused)) from refused
