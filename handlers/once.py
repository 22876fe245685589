"""What goes out through Loops once for ever, not only while Loops remembers its key."""

from collections.abc import Callable
from uuid import UUID

from errors import ProviderBusy, ProviderDown, ProviderRefused, ProviderUncertain
from events import named_id
from handlers.outcomes import Reject
from models import emails as ledger
from models.emails import EmailId
from services import Services
from services.commands import CommandFailed

HELD = (
    "Whether this was sent is not known, and Loops has forgotten its key. Look it up in Loops, "
    "then run `insights emails settle`."
)


def once(email: EmailId, event_id: UUID, services: Services, send: Callable[[str], None]) -> None:
    """Send under the email's own key, unless it was sent before.

    Noted first, so that nobody sends again by guess. Raises Reject where nobody can know whether
    it went out, and what `send` does.
    """
    standing = services.transaction(lambda session: ledger.begin(session, email, event_id))
    if standing.sent:
        return
    if standing.held:
        raise Reject(HELD)
    try:
        send(str(named_id("email", *email)))
    except (CommandFailed, ProviderBusy, ProviderDown, ProviderRefused) as error:
        if standing.first and not isinstance(error, ProviderUncertain):
            services.transaction(lambda session: ledger.note_not_sent(session, email))
        raise
    services.transaction(lambda session: ledger.note_sent(session, email))
