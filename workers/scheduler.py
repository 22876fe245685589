"""The scheduler: publishes an event per job and time slot, once for any number of schedulers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from croniter import croniter
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from events import Event, InactivityDue, named_id
from events.schedule import PruneDue
from models.database_errors import trouble_of
from settings import Settings

log = structlog.get_logger()
Publish = Callable[[Event], None]

INACTIVE_AFTER_DAYS = 14  # the platform's re-engagement begins after two weeks
LOOK_EVERY = 20.0  # seconds: a slot is published at most so late


@dataclass(frozen=True)
class Job:
    """A scheduled job: its name, which is its handler's too, when, and what is published then.

    `cron` is a crontab expression in UTC.
    """

    name: str
    cron: str
    event: Callable[[Settings], Event]


# At odd minutes, when few others' jobs run.
JOBS = (
    Job(
        "prune",
        "17 3 * * *",
        lambda settings: PruneDue(
            days=settings.retention_days, statement_months=settings.statement_months
        ),
    ),
    Job("inactivity", "41 6 * * *", lambda _settings: InactivityDue(days=INACTIVE_AFTER_DAYS)),
)


class Scheduler:
    """Looks every `interval` seconds; of slots that were missed, the last is published late.

    `clock` is the database's: a scheduler whose own clock is days ahead would use up slots that
    have not come, and have active users taken for inactive ones.
    """

    def __init__(
        self,
        settings: Settings,
        publish: Publish,
        clock: Callable[[], datetime],
        interval: float = LOOK_EVERY,
    ) -> None:
        self.settings = settings
        self.publish = publish
        self.clock = clock
        self.interval = interval
        self.published: dict[str, datetime] = {}

    def run(self, stopped: threading.Event) -> None:
        """Publish what is due until stopped. A database that is away is asked again."""
        while not stopped.is_set():
            try:
                self.tick(self.clock())
            except (DBAPIError, PoolTimeout) as error:
                if trouble_of(error) is None:
                    raise
                log.warning("scheduler_waits", error=type(error).__name__)
            stopped.wait(self.interval)

    def tick(self, now: datetime) -> None:
        """Publish the newest slot of each job, unless this scheduler did."""
        for job in JOBS:
            slot = croniter(job.cron, now).get_prev(datetime)
            if self.published.get(job.name) != slot:
                event = job.event(self.settings)
                # An id made of job and slot: whichever scheduler publishes it, it is there once.
                id_ = named_id("schedule", job.name, slot.isoformat())
                self.publish(event.model_copy(update={"id": id_, "occurred_at": slot}))
                self.published[job.name] = slot
