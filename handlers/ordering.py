"""Order between handlers: one that must come after another on the same event waits for it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from events import Event
from handlers.outcomes import Outcome, RetryLater
from models.deliveries.dependencies import still_owed
from services import Services

SHORTEST_WAIT = timedelta(seconds=0.3)  # the other handler mostly takes less
LONGEST_WAIT = timedelta(seconds=60)  # bounds what waiting for a paused handler costs


def too_early(
    events: Iterable[Event], others: Iterable[str], services: Services
) -> dict[UUID, Outcome]:
    """RetryLater for each event that a handler of the `others` has not handled yet.

    A dead letter of theirs is not waited for.
    """
    by_id = {event.id: event for event in events}
    early = services.transaction(lambda session: still_owed(session, others, by_id))
    reason = f"It comes after {' and '.join(others)}."
    return {id_: RetryLater(wait_for(by_id[id_]), reason) for id_ in early}


def wait_for(event: Event) -> timedelta:
    """A tenth of the event's age, within bounds: what has waited long is asked for seldom."""
    age = datetime.now(UTC) - event.occurred_at
    return min(LONGEST_WAIT, max(SHORTEST_WAIT, age / 10))
