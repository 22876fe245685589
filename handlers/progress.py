"""Writes to Redis how far each training is, for pages that show it live."""

from collections.abc import Sequence

from events import Event
from events.progress import ENDS, STEPS, progress_after_event
from handlers.registry import external
from services import Services


@external("progress", *STEPS, *ENDS, batch=500, concurrency=1)
def show_progress(events: Sequence[Event], services: Services, _keys: Sequence[str]) -> None:
    """Write the state after each event. Older states and repetitions change nothing."""
    services.progress.show([progress_after_event(event) for event in events])
