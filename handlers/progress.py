"""Shows live how far trainings are."""

from collections.abc import Sequence

from events import Event
from events.progress import ENDS, STEPS, progress_after_event
from handlers.registry import external
from services import Services
from services.redis.progress import Progress


@external("progress", *STEPS, *ENDS, batch=500, concurrency=1)
def show_progress(events: Sequence[Event], services: Services, _keys: Sequence[str]) -> None:
    """Show each event's news; showing news again changes nothing."""
    services.progress.show([Progress(*progress_after_event(event)) for event in events])
