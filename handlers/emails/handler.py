"""Sends the emails that follow from events, each once (see handlers/send_once.py).

Emails that a user waits for have a handler of their own, so that they do not queue behind others.
"""

from events import (
    SubscriptionActivated,
    TrainingCompleted,
    TrainingFailed,
    UsageThresholdReached,
    UserEvent,
    UserSignedUp,
    named_id,
)
from handlers.emails.content import content_for
from handlers.final_states import is_final, too_late
from handlers.missing_profile import look_up_user, require_address
from handlers.outcomes import Reject, require_client
from handlers.registry import external
from handlers.send_once import EmailTemplate, send_once
from models.emails import EmailId
from services import Services
from services.loops import Loops


@external("emails_awaited", UserSignedUp, SubscriptionActivated, provider="loops")
def send_awaited_email(event: UserEvent, services: Services, _key: str) -> None:
    """Send an email that the user waits for: ahead of all others."""
    send(event, services, priority=True)


@external("emails", TrainingCompleted, TrainingFailed, UsageThresholdReached, provider="loops")
def send_email(event: UserEvent, services: Services, _key: str) -> None:
    """Send an email that can wait for the awaited ones; none of how a training ended later on."""
    if is_final(event) and services.transaction(lambda session: too_late([event], session)):
        return
    send(event, services, priority=False)


def send(event: UserEvent, services: Services, *, priority: bool) -> None:
    """Send the email that follows from an event, if one does and it was not sent before.

    `priority` takes the next slot of the throttle, before emails that do not.
    """
    loops = require_client(services.loops, "Loops")
    content = content_for(event, services)
    if content is None:
        return
    address = address_of(event, services)
    if address is None:
        return
    template_id = template_id_of(content.template, loops)
    entry = EmailId(event.user_id, content.template.value, content.about)
    # Made of the entry, not of the event: two events that lead to one email share the key.
    key = str(named_id("email", *entry))
    send_once(
        entry,
        event.id,
        services,
        lambda: loops.send(template_id, address, content.variables, key, priority=priority),
    )


def address_of(event: UserEvent, services: Services) -> str | None:
    """The address of an event's user; None once the account is closed. Raises as require_address.

    A sign-up brings the address itself, so a welcome need not wait for the profile.
    """
    user = look_up_user(event, services)
    if user.deleted:
        return None
    if isinstance(event, UserSignedUp) and user.email is None:
        return event.email
    return require_address(user, event, services)


def template_id_of(template: EmailTemplate, loops: Loops) -> str:
    """The id that Loops gave to a template. Raises Reject where it is not set."""
    found = loops.emails.get(template)
    if found is None:
        setting = f"LOOPS_{template.upper()}_ID"
        raise Reject(f"{setting} is not set: Loops knows its emails by ids that it made up.")
    return found
