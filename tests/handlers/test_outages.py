"""A provider is down for an hour under load, then back: no dead letters, nothing lost or twice."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import Event, UserSignedUp, uuid7
from handlers import Handler
from handlers.analytics.handler import forward
from handlers.cache import invalidate
from handlers.contacts.handler import keep_contacts
from handlers.emails.handler import send_awaited_email, send_email
from handlers.profiles import keep_profiles
from handlers.progress import show_progress
from handlers.usage import count_usage
from runtime.assembly import Assembly
from services.redis import throttle
from services.redis.upstash import UpstashCommands
from tests.doubles import Doubles
from tests.factories import dataset_uploaded, publish_now, training_completed
from tests.pipeline import Pipeline

STEPS = 15  # of four minutes each: an hour
FOUR_MINUTES_PASS = (
    "UPDATE insights.handlers SET resume_at = resume_at - interval '4 minutes'",
    "UPDATE insights.deliveries SET due_at = due_at - interval '4 minutes' WHERE NOT leased",
)
OUTAGES: dict[str, dict[str, Any]] = {
    "answers 503": {"kind": "status", "status": 503},
    "drops connections": {"kind": "drop"},
    "loses its answers": {"kind": "lose"},
    "hangs": {"kind": "hang", "seconds": 0.5},
}
TIMEOUT = 0.05  # seconds until a hanging provider counts as away


def pass_four_minutes(pipeline: Pipeline) -> None:
    with pipeline.assembly.engine.begin() as connection:
        for statement in FOUR_MINUTES_PASS:
            connection.execute(text(statement))


def live_through(
    pipeline: Pipeline, down: Callable[[], None], up: Callable[[], None], load: Iterator[Event]
) -> None:
    """An hour without the provider, an event every four minutes; then it is back."""
    down()
    for _ in range(STEPS):
        publish_now(pipeline.assembly, next(load))
        pipeline.work()
        pass_four_minutes(pipeline)
        assert all(row.died_at is None and row.attempts == 0 for row in pipeline.owed())
    up()
    for _ in range(6):
        pipeline.work()
        pass_four_minutes(pipeline)
    assert pipeline.owed() == []


def follow(pipeline: Pipeline, *handlers: Handler) -> None:
    pipeline.follow(*handlers, count_usage)


@pytest.mark.parametrize("outage", OUTAGES)
def test_analytics_catches_up(
    outage: str, pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    assert pipeline_with_doubles.assembly.services.posthog is not None
    pipeline_with_doubles.assembly.services.posthog.api.http.timeout = TIMEOUT
    follow(pipeline_with_doubles, forward)
    load = [dataset_uploaded(user_id) for _ in range(STEPS)]

    live_through(
        pipeline_with_doubles,
        lambda: doubles.set_fault("posthog", **OUTAGES[outage]),
        lambda: doubles.clear_fault("posthog"),
        iter(load),
    )

    uploads = [each for each in doubles.posthog.events() if each.event == "dataset_uploaded"]
    assert sorted(each.uuid for each in uploads) == sorted(str(event.id) for event in load)


@pytest.mark.parametrize("outage", OUTAGES)
def test_emails_go_out_once_each(
    outage: str, pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.loops.per_second = 1_000
    assert pipeline_with_doubles.assembly.services.loops is not None
    pipeline_with_doubles.assembly.services.loops.throttle.distance = 1_000
    pipeline_with_doubles.assembly.services.loops.api.http.timeout = TIMEOUT
    follow(pipeline_with_doubles, send_email, send_awaited_email)
    load = [training_completed(user_id, f"t-{number}") for number in range(STEPS)]

    live_through(
        pipeline_with_doubles,
        lambda: doubles.set_fault("loops", **OUTAGES[outage]),
        lambda: doubles.clear_fault("loops"),
        iter(load),
    )

    keys = [mail.key for mail in doubles.loops.mails]
    assert len(keys) == len(set(keys)) == STEPS


def test_contacts_are_as_the_profiles_are_in_the_end(
    pipeline_with_doubles: Pipeline, doubles: Doubles
) -> None:
    doubles.loops.per_second = 1_000
    assert pipeline_with_doubles.assembly.services.loops is not None
    pipeline_with_doubles.assembly.services.loops.throttle.distance = 1_000
    follow(pipeline_with_doubles, keep_contacts, keep_profiles)
    load = [
        UserSignedUp(user_id=uuid7(), email=f"u{number}@example.com") for number in range(STEPS)
    ]

    live_through(
        pipeline_with_doubles,
        lambda: doubles.set_fault("loops", "status", status=500),
        lambda: doubles.clear_fault("loops"),
        iter(load),
    )

    emails = sorted(str(contact.email) for contact in doubles.loops.audience.contacts)
    assert emails == sorted(event.email for event in load)


def test_while_it_is_down_a_provider_is_asked_seldom_and_others_go_on(
    pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    follow(pipeline_with_doubles, forward)
    load = iter(dataset_uploaded(user_id, dataset_id=f"d-{n}") for n in range(STEPS))

    live_through(
        pipeline_with_doubles,
        lambda: doubles.set_fault("posthog", "status", status=500),
        lambda: doubles.clear_fault("posthog"),
        load,
    )

    met = doubles.faults_met("posthog")
    assert STEPS / 4 <= met <= STEPS * 3
    with pipeline_with_doubles.assembly.engine.connect() as connection:
        counted = connection.scalar(text("SELECT datasets_count FROM public.usage_limits"))
    assert counted == STEPS


def test_after_an_outage_emails_that_a_user_waits_for_go_first(
    pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    follow(pipeline_with_doubles, send_email, send_awaited_email)
    pipeline_with_doubles.runner.turn = 0  # both have their turn, as in threads of their own
    doubles.set_fault("loops", "drop")
    notices = [training_completed(user_id, f"t-{number}") for number in range(12)]
    publish_now(pipeline_with_doubles.assembly, *notices)
    pipeline_with_doubles.work()
    welcome = UserSignedUp(user_id=user_id, email="ada@example.com")
    publish_now(pipeline_with_doubles.assembly, welcome)
    pipeline_with_doubles.work()
    doubles.clear_fault("loops")
    for _ in range(3):
        pass_four_minutes(pipeline_with_doubles)
        pipeline_with_doubles.work()

    order = [mail.template for mail in doubles.loops.mails]
    assert sorted(order) == ["training_complete"] * 12 + ["welcome"]
    assert order.index("welcome") <= 2


@pytest.fixture
def over_rest(assembly: Assembly, doubles: Doubles) -> Iterator[Pipeline]:
    """Relay and runner whose Redis is Upstash over REST, with a short timeout."""
    made = Assembly(doubles.settings(assembly.settings, upstash=True))
    commands = made.services.cache.commands
    assert isinstance(commands, UpstashCommands)
    commands.http.timeout = TIMEOUT
    pipeline = Pipeline(made)
    yield pipeline
    pipeline.follow(*assembly.handlers.values())
    commands.close()
    made.close()


@pytest.mark.parametrize("outage", ["answers 503", "hangs"])
def test_what_redis_is_sent_over_rest_is_there_in_the_end(
    outage: str, over_rest: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    services = over_rest.assembly.services
    follow(over_rest, show_progress, invalidate)
    services.cache.set("dataset:d-1", "old")
    load = [
        dataset_uploaded(user_id),
        *(training_completed(user_id, f"t-{number}") for number in range(1, STEPS)),
    ]

    live_through(
        over_rest,
        lambda: doubles.set_fault("upstash", **OUTAGES[outage]),
        lambda: doubles.clear_fault("upstash"),
        iter(load),
    )

    assert not services.cache.exists("dataset:d-1")
    shown = [services.progress.read(f"t-{number}") for number in range(1, STEPS)]
    assert {state and state.status for state in shown} == {"completed"}


def test_an_email_that_waits_for_the_throttle_spends_no_attempt_and_is_not_taken_for_sent(
    pipeline_with_doubles: Pipeline,
    doubles: Doubles,
    user_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Emails ahead of it take every slot for longer than a send waits, twelve times."""
    monkeypatch.setattr(throttle, "LONGEST_WAIT", 0.01)
    loops = pipeline_with_doubles.assembly.services.loops
    assert loops is not None
    loops.throttle.distance = 30_000_000  # microseconds
    loops.throttle.wait(priority=True)
    follow(pipeline_with_doubles, send_email)
    publish_now(pipeline_with_doubles.assembly, training_completed(user_id))

    for _ in range(12):
        pipeline_with_doubles.pass_time()
        pipeline_with_doubles.work()

    (owed,) = pipeline_with_doubles.owed()
    assert (owed.attempts, owed.died_at) == (0, None)
    assert "limit is used up" in owed.last_error
    with pipeline_with_doubles.assembly.engine.connect() as connection:
        assert connection.execute(text("SELECT tried_at FROM insights.emails")).one() == (None,)
    assert doubles.loops.mails == []
