"""What becomes of a delivery whose handler fails, rejects it, puts it off, or kills its process."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from events import Event, UserLoggedIn, uuid7
from handlers import Reject, RetryLater
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import BOTH_KINDS, FakeEffect, external_handler, raising
from tests.pipeline import Pipeline


class Killed(BaseException):
    """Ends a process in the middle of its work, as far as the runner can see."""


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
    assert pipeline.lease() == []


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
def test_an_event_that_kills_its_process_is_dead_after_max_attempts_deaths(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(Killed))
    pipeline.follow(make_handler(effect, max_attempts=3))
    publish_now(assembly, *predictions_made())

    for _ in range(8):
        for message in pipeline.lease():
            with suppress(Killed):
                pipeline.deliver(message)
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert "died" in owed.last_error
    # Four calls: an attempt is charged first only after a lease that left no outcome.
    assert len(effect.calls) == 4


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
def test_a_duplicate_of_a_message_whose_event_is_dead_publishes_nothing_more(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    def follow_up(event: Event) -> Event:
        return event.follow(UserLoggedIn, uuid7())  # a new id each time, so that each would show

    effect = FakeEffect(raising(ValueError))
    pipeline.follow(make_handler(effect, max_attempts=1, on_death=follow_up))
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()

    for _ in range(3):
        pipeline.deliver(message)

    with assembly.engine.connect() as connection:
        query = "SELECT count(*) FROM insights.events WHERE type = 'user.logged_in'"
        assert connection.scalar(text(query)) == 1
