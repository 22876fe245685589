"""The scheduler publishes an event per job and time slot, once for any number of schedulers."""

import threading
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from croniter import croniter
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from events import Event, InactivityDue, PruneDue
from runtime.assembly import Assembly
from tests.waiting import wait_until
from workers.scheduler import INACTIVE_AFTER_DAYS, JOBS, Job, Scheduler

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_any_number_of_schedulers_publish_each_slot_once(assembly: Assembly) -> None:
    for _ in range(3):
        scheduler = Scheduler(assembly.settings, assembly.publish, assembly.database_time)
        scheduler.tick(NOON)
        scheduler.tick(NOON)
    Scheduler(assembly.settings, assembly.publish, assembly.database_time).tick(
        NOON.replace(day=23)
    )

    with assembly.engine.connect() as connection:
        slots = connection.execute(
            text("SELECT type, occurred_at FROM insights.events ORDER BY type, occurred_at")
        ).all()
    assert slots == [
        ("inactivity.due", datetime(2026, 11, 22, 6, 41, tzinfo=UTC)),
        ("inactivity.due", datetime(2026, 11, 23, 6, 41, tzinfo=UTC)),
        ("prune.due", datetime(2026, 11, 22, 3, 17, tzinfo=UTC)),
        ("prune.due", datetime(2026, 11, 23, 3, 17, tzinfo=UTC)),
    ]


def test_one_scheduler_does_not_publish_a_slot_that_it_published(assembly: Assembly) -> None:
    published: list[Event] = []
    scheduler = Scheduler(assembly.settings, published.append, assembly.database_time)

    scheduler.tick(NOON)
    scheduler.tick(NOON.replace(hour=23))

    assert [type(event) for event in published] == [PruneDue, InactivityDue]


def test_events_carry_what_the_settings_say(assembly: Assembly) -> None:
    published: list[Event] = []
    settings = assembly.settings.model_copy(update={"retention_days": 7, "statement_months": 3})

    Scheduler(settings, published.append, assembly.database_time).tick(NOON)

    assert [event.data for event in published] == [
        {"days": 7, "statement_months": 3},
        {"days": INACTIVE_AFTER_DAYS},
    ]


def test_a_slot_that_could_not_be_published_is_tried_again(assembly: Assembly) -> None:
    published: list[Event] = []
    scheduler = Scheduler(
        assembly.settings, published.append, assembly.database_time, interval=0.001
    )
    stopped, failures = threading.Event(), iter([True, False, True])

    def publish(event: Event) -> None:
        if next(failures, False):
            raise OperationalError("x", {}, Exception())
        published.append(event)
        if len(published) == len(JOBS):
            stopped.set()

    scheduler.publish = publish
    scheduler.run(stopped)

    assert len({event.id for event in published}) == len(published) == len(JOBS)


@pytest.mark.parametrize("job", JOBS, ids=[job.name for job in JOBS])
def test_each_job_is_followed_by_the_handler_of_its_name(job: Job, assembly: Assembly) -> None:
    assert type(job.event(assembly.settings)) in assembly.handlers[job.name].events
    assert croniter.is_valid(job.cron)


def test_a_scheduler_whose_clock_is_days_ahead_publishes_the_database_s_slots(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Ahead":
            return cls.fromtimestamp(datetime.now(UTC).timestamp() + 20 * 86400, tz)

    monkeypatch.setattr("workers.scheduler.datetime", Ahead)
    published: list[Event] = []
    scheduler = Scheduler(assembly.settings, published.append, assembly.database_time, 0.01)
    stopped = threading.Event()
    running = threading.Thread(target=scheduler.run, args=(stopped,))
    running.start()
    wait_until(lambda: len(published) == len(JOBS))
    stopped.set()
    running.join()

    now = assembly.database_time()
    assert all(now - timedelta(days=1) < event.occurred_at <= now for event in published)
