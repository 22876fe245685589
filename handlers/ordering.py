"""For handlers whose effect must come after that of another on the same event."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from events import Event
from handlers.outcomes import Outcome, RetryLater
from models.owing import still_owed
from services import Services

SOONEST, LATEST = timedelta(seconds=0.3), timedelta(seconds=60)


def too_early(
    events: Iterable[Event], others: Iterable[str], services: Services
) -> dict[UUID, Outcome]:
    """The events that one of the `others` still owes; a dead letter is not waited for.

    What has been waited for long is looked for seldom.
    """
    by_id = {event.id: event for event in events}
    early: set[UUID] = services.transaction(lambda session: still_owed(session, others, by_id))
    reason = f"It comes after {' and '.join(others)}."
    return {id_: RetryLater(wait(by_id[id_]), reason) for id_ in early}


def wait(event: Event) -> timedelta:
    """A tenth of the event's age, within bounds."""
    age = datetime.now(UTC) - event.occurred_at
    return min(LATEST, max(SOONEST, age / 10))
