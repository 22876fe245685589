"""Sends through Loops what must go out only once, ever: emails, and events for its workflows.

Loops remembers an idempotency key for 24 hours. The send log (models.emails) remembers each send
for ever, by user, template and what it is about, and in one of these states:

- not tried: no try can have sent it;
- tried: it may have been sent, so it is only sent again under the same key. A try that certainly
  sent nothing is taken back if it is the only one: of two workers, the other may have sent it;
- sent: it went out for certain, and is never sent again;
- held: it was tried, never confirmed, and Loops has forgotten the key. Sending again could send it
  twice, so it waits for an operator's `insights emails settle`.
"""

from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from errors import ProviderBusy, ProviderDown, ProviderRefused, ProviderUncertain
from handlers.outcomes import Reject
from models import emails as send_log
from models.emails import EmailId
from services import Services
from services.redis.commands import CommandFailed

HELD = (
    "Whether this was sent is not known, and Loops has forgotten its key. Look it up in Loops, "
    "then run `insights emails settle`."
)


class EmailTemplate(StrEnum):
    """The emails: names of the HTML files in emails/templates/ and of the settings LOOPS_*_ID."""

    WELCOME = "welcome"
    TRAINING_COMPLETE = "training_complete"
    TRAINING_FAILED = "training_failed"
    LIMIT_WARNING = "limit_warning"
    SUBSCRIPTION_CONFIRMED = "subscription_confirmed"


class WorkflowEvent(StrEnum):
    """The events that start or stop workflows at Loops, by their names there."""

    DATASET_UPLOADED = "dataset_uploaded"
    TRAINING_COMPLETED = "training_completed"
    USER_INACTIVE = "user_inactive"

    @property
    def template(self) -> str:
        """What the send log has in the place of a template."""
        return f"workflow {self.value}"


def send_once(
    entry: EmailId,
    event_id: UUID,
    services: Services,
    send: Callable[[], None],
    then: Callable[[], None] = lambda: None,
) -> None:
    """Call `send` unless the send log says that it was sent, then `then`, then record it as sent.

    `send` must use the same idempotency key on every try. `then` must succeed before the send is
    recorded; it is retried with it. Raises what the two raise, and Reject where the entry is held
    for this event. For other events that want to send the same, a held entry counts as done: one
    dead letter is enough to settle it.
    """
    # Committed before the call: a crash during the call must leave a note that it was tried.
    state = services.transaction(lambda session: send_log.begin(session, entry, event_id))
    if state.sent:
        return
    if state.held:
        if state.by != event_id:
            return
        raise Reject(HELD)
    try:
        send()
    except (CommandFailed, ProviderBusy, ProviderDown, ProviderRefused) as error:
        # Loops answered no, or was never reached: the key's 24 hours need not run yet.
        if not isinstance(error, ProviderUncertain):
            services.transaction(
                lambda session: send_log.forget_try(session, entry, state.tried_at)
            )
        raise
    then()
    services.transaction(lambda session: send_log.record_sent(session, entry))
