"""What goes out through Loops once for ever, not only while Loops remembers its key."""

from collections.abc import Callable
from uuid import UUID

from errors import ProviderBusy, ProviderDown, ProviderRefused, ProviderUncertain
from handlers.outcomes import Reject
from models import emails as ledger
from models.emails import EmailId
from services import Services
from services.redis.commands import CommandFailed

HELD = (
    "Whether this was sent is not known, and Loops has forgotten its key. Look it up in Loops, "
    "then run `insights emails settle`."
)


def send_once(
    email: EmailId,
    event_id: UUID,
    services: Services,
    send: Callable[[], None],
    then: Callable[[], None] = lambda: None,
) -> None:
    """Send, unless it was sent before; `then` is done as often as it takes before it counts.

    `send` must use the same key on every try. It is noted first, so that nobody sends again by
    guess. Raises Reject where nobody can know whether it went out, and what the two do; what
    another event has tried to send waits for an operator under that one alone.
    """
    standing = services.transaction(lambda session: ledger.begin(session, email, event_id))
    if standing.sent:
        return
    if standing.held:
        if standing.by != event_id:
            return
        raise Reject(HELD)
    try:
        send()
    except (CommandFailed, ProviderBusy, ProviderDown, ProviderRefused) as error:
        if standing.first and not isinstance(error, ProviderUncertain):
            services.transaction(lambda session: ledger.forget_try(session, email))
        raise
    then()
    services.transaction(lambda session: ledger.record_sent(session, email))
