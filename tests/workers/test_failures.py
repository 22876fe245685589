"""What becomes of a delivery whose handler fails, rejects it, puts it off, or kills its process."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from events import Event, UserLoggedIn
from handlers import Reject, RetryLater
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import BOTH_KINDS, FakeEffect, external_handler, raising
from tests.pipeline import Killed, Pipeline


@BOTH_KINDS
def test_a_rejected_event_is_dead_at_once_and_never_sent_again(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(lambda: Reject("The template is not known.")))
    pipeline.follow(make_handler(effect, batch=1))
    publish_now(assembly, *predictions_made())

    pipeline.work()
    pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert owed.last_error == "The template is not known."
    assert pipeline.rung() == []


@BOTH_KINDS
def test_retry_later_waits_and_costs_no_attempt(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(lambda: RetryLater(timedelta(hours=1), "The user sleeps.")))
    pipeline.follow(make_handler(effect, batch=1, max_attempts=2))
    publish_now(assembly, *predictions_made())

    for _ in range(5):
        pipeline.work()
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)


@BOTH_KINDS
def test_a_delivery_is_dead_after_max_attempts_failures(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(ValueError))
    pipeline.follow(make_handler(effect, max_attempts=3, batch=1))
    publish_now(assembly, *predictions_made())

    for _ in range(6):
        pipeline.work()
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at is None, len(effect.calls)) == (3, False, 3)


@BOTH_KINDS
def test_an_event_that_kills_its_process_is_dead_after_max_attempts_deaths_alone(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(100)
    poison = events[60].id
    effect = FakeEffect(raising(Killed, {poison}))
    pipeline.follow(make_handler(effect, max_attempts=3))
    publish_now(assembly, *events)

    for _ in range(12):
        pipeline.die_in(next(iter(pipeline.handlers)))
        pipeline.end_dead_processes()
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert (owed.event_id, owed.attempts) == (poison, 3)
    assert owed.died_at is not None
    assert "no sign of life for 15 s" in owed.last_error
    # In ever smaller company, charged only when alone.
    first, *smaller, one, two, three = [len(call) for call in effect.calls if poison in call]
    assert (first, one, two, three) == (100, 1, 1, 1)
    assert all(size <= most for size, most in zip(smaller, (12, 2), strict=True))


@BOTH_KINDS
def test_what_a_dead_process_had_in_hand_is_given_to_nobody_before_it_is_known_to_be_dead(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(Killed))
    pipeline.follow(make_handler(effect))
    name = next(iter(pipeline.handlers))
    publish_now(assembly, *predictions_made(3))
    pipeline.die_in(name)
    effect.behave = lambda _events: None
    publish_now(assembly, *predictions_made(2))

    pipeline.answer(name)
    assert [len(call) for call in effect.calls] == [3, 2]

    pipeline.end_dead_processes()
    pipeline.pass_time()
    pipeline.work()
    assert len(effect.seen) == 3 + 2 + 3
    assert pipeline.owed() == []


def test_a_dead_letter_publishes_what_on_death_makes_of_its_event(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def follow_up(event: Event) -> Event:
        return event.follow(UserLoggedIn, method="dead")

    effect = FakeEffect(raising(ValueError))
    pipeline.follow(external_handler(effect, max_attempts=1, batch=1, on_death=follow_up))
    (event,) = predictions_made()
    publish_now(assembly, event)

    pipeline.work()

    with assembly.engine.connect() as connection:
        causes = connection.scalars(
            text("SELECT causation_id FROM insights.events WHERE type = 'user.logged_in'")
        ).all()
    assert causes == [event.id]


@BOTH_KINDS
def test_what_ends_a_thread_is_the_failure_of_the_event_that_raised_it(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    """As Rust's panics, which are no Exception to Python."""
    effect = FakeEffect(raising(Killed))
    pipeline.follow(make_handler(effect, batch=1))
    publish_now(assembly, *predictions_made())

    with suppress(Killed):
        pipeline.answer(next(iter(pipeline.handlers)))

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.state) == (1, "waiting")
    assert owed.last_error.startswith("Killed at ")
