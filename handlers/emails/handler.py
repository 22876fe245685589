"""Sends the emails that follow from events, each once for ever.

A mail that a person waits for has a handler of its own, so that no flood of others stands in
its way.
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
from handlers.emails.content import EmailContent, content_for
from handlers.emails.recipients import recipient_of
from handlers.emails.send_once import send_once
from handlers.outcomes import Reject
from handlers.registry import external
from models.emails import EmailId
from services import Services
from services.loops import Loops


@external("emails_awaited", UserSignedUp, SubscriptionActivated)
def send_awaited_email(event: UserEvent, services: Services, _key: str) -> None:
    """Send a mail that a person waits for: before all others."""
    send(event, services, hurry=True)


@external("emails", TrainingCompleted, TrainingFailed, UsageThresholdReached)
def send_email(event: UserEvent, services: Services, _key: str) -> None:
    """Send a mail that can wait for those that cannot."""
    send(event, services, hurry=False)


def send(event: UserEvent, services: Services, *, hurry: bool) -> None:
    """Send what follows from an event, to whom it concerns, unless it was sent before."""
    letter, loops = content_for(event, services), services.loops
    if loops is None or letter is None:
        return
    recipient = recipient_of(event, services)
    if recipient is None:
        return
    template = template_id(loops, letter)
    email = EmailId(event.user_id, letter.template, letter.about)
    key = str(named_id("email", *email))
    send_once(
        email,
        event.id,
        services,
        lambda: loops.send(template, recipient, letter.variables, key, hurry=hurry),
    )


def template_id(loops: Loops, letter: EmailContent) -> str:
    """The id that Loops gave to a letter's template. Raises Reject where no setting tells it."""
    found = loops.emails.get(letter.template)
    if found is None:
        setting = f"LOOPS_{letter.template.upper()}_ID"
        raise Reject(f"{setting} is not set: Loops knows its emails by ids that it made up.")
    return found
