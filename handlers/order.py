"""For handlers whose effect must come after that of another on the same event."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from events import Event
from handlers.outcomes import Outcome, RetryLater
from models.owing import still_owed
from services import Services

LOOK_AGAIN = timedelta(seconds=0.3)


def too_early(
    events: Iterable[Event], others: Iterable[str], services: Services
) -> dict[UUID, Outcome]:
    """The events that one of the `others` still owes; a dead letter is not waited for."""
    ids = [event.id for event in events]
    early: set[UUID] = services.transaction(lambda session: still_owed(session, others, ids))
    reason = f"It comes after {' and '.join(others)}."
    return {id_: RetryLater(LOOK_AGAIN, reason) for id_ in early}
