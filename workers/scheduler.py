"""Publishes an event per job and time slot; any number of schedulers publish it once."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog
from croniter import croniter
from sqlalchemy.exc import InterfaceError, OperationalError

from events import Event, InactivityDue, named_id
from events.schedule import PruneDue
from settings import Settings

log = structlog.get_logger()
Publish = Callable[[Event], None]
Job = Callable[[Settings], Event]

INACTIVE_AFTER = 14

JOBS: Mapping[str, tuple[str, Job]] = {
    "prune": ("17 3 * * *", lambda settings: PruneDue(days=settings.retention_days)),
    "inactivity": ("41 6 * * *", lambda _settings: InactivityDue(days=INACTIVE_AFTER)),
}
"""Name of the job and of its handler → when, in cron's form and UTC, and what to publish then."""


class Scheduler:
    """Looks every `interval` seconds; a slot that was missed is published late, the last only."""

    def __init__(self, settings: Settings, publish: Publish, interval: float = 20.0) -> None:
        self.settings = settings
        self.publish = publish
        self.interval = interval
        self.published: dict[str, datetime] = {}

    def run(self, stopped: threading.Event) -> None:
        """Publish what is due until stopped. A database that is away is asked again."""
        while not stopped.is_set():
            try:
                self.tick(datetime.now(UTC))
            except (OperationalError, InterfaceError) as away:
                log.warning("scheduler_waits", error=type(away).__name__)
            stopped.wait(self.interval)

    def tick(self, now: datetime) -> None:
        """Publish the newest slot of each job, unless this scheduler did."""
        for name, (cron, job) in JOBS.items():
            slot = croniter(cron, now).get_prev(datetime)
            if self.published.get(name) != slot:
                event = job(self.settings)
                id_ = named_id("schedule", name, slot.isoformat())
                self.publish(event.model_copy(update={"id": id_, "occurred_at": slot}))
                self.published[name] = slot
