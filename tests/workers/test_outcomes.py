"""What becomes of a delivery, whatever its handler does."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from errors import ProviderDown
from events import Event, UserLoggedIn, uuid7
from handlers import Failed, Reject, RetryLater
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.pipeline import Pipeline
from tests.workers.doing import Doing, calling, writing

BOTH = pytest.mark.parametrize("kind", [writing, calling])


def ledger(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM insights.usage_ledger")) or 0)


def ids(events: Sequence[Event]) -> set[UUID]:
    return {event.id for event in events}


@BOTH
def test_a_poisonous_event_fails_alone_and_the_others_are_done(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(37)

    def choke(batch: Sequence[Event]) -> None:
        if events[11].id in ids(batch):
            raise ValueError

    pipeline.follow(kind(Doing(choke)))
    publish_now(assembly, *events)

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.event_id == events[11].id
    assert (owed.attempts, owed.leased, owed.died_at) == (1, False, None)
    assert "ValueError" in owed.last_error


def test_the_effect_of_a_failed_try_is_undone(assembly: Assembly, pipeline: Pipeline) -> None:
    events = predictions_made(8)

    def choke(batch: Sequence[Event]) -> None:
        if events[0].id in ids(batch):
            raise ValueError

    pipeline.follow(writing(Doing(choke)))
    publish_now(assembly, *events)

    pipeline.work()

    assert ledger(assembly) == 7


@BOTH
def test_one_event_of_a_batch_can_fail_by_itself(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(10)
    doing = Doing(lambda _batch: {events[3].id: Failed("no such user")})
    pipeline.follow(kind(doing))
    publish_now(assembly, *events)

    pipeline.work()

    (owed,) = pipeline.owed()
    assert (owed.event_id, owed.attempts, owed.last_error) == (events[3].id, 1, "no such user")
    assert len(doing.calls) == 1


@BOTH
def test_a_rejected_event_is_dead_at_once_and_never_sent_again(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    def refuse(batch: Sequence[Event]) -> None:
        raise Reject("The template is not known.")

    pipeline.follow(kind(Doing(refuse), batch=1))
    publish_now(assembly, *predictions_made())

    pipeline.work()
    pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert owed.last_error == "The template is not known."
    assert pipeline.lease() == []


@BOTH
def test_retry_later_waits_and_spends_no_attempt(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    def wait(batch: Sequence[Event]) -> None:
        raise RetryLater(timedelta(hours=1), "The person sleeps.")

    pipeline.follow(kind(Doing(wait), batch=1, max_attempts=2))
    publish_now(assembly, *predictions_made())

    for _ in range(5):
        pipeline.work()
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)


@BOTH
def test_a_delivery_dies_after_as_many_failures_as_its_handler_allows(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    def fail(batch: Sequence[Event]) -> None:
        raise ValueError

    doing = Doing(fail)
    pipeline.follow(kind(doing, max_attempts=3, batch=1))
    publish_now(assembly, *predictions_made())

    for _ in range(6):
        pipeline.work()
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at is None, len(doing.calls)) == (3, False, 3)


def test_a_death_publishes_what_the_handler_wishes(assembly: Assembly, pipeline: Pipeline) -> None:
    def fail(batch: Sequence[Event]) -> None:
        raise ValueError

    def told(event: Event) -> Event:
        return event.follow(UserLoggedIn, method="told")

    pipeline.follow(calling(Doing(fail), max_attempts=1, batch=1, on_death=told))
    (event,) = predictions_made()
    publish_now(assembly, event)

    pipeline.work()

    with assembly.engine.connect() as connection:
        causes = connection.scalars(
            text("SELECT causation_id FROM insights.events WHERE type = 'user.logged_in'")
        ).all()
    assert causes == [event.id]


@BOTH
def test_an_event_that_kills_its_process_dies_after_a_bounded_number_of_deaths(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    class Killed(BaseException):
        pass

    def die(batch: Sequence[Event]) -> None:
        raise Killed

    doing = Doing(die)
    pipeline.follow(kind(doing, max_attempts=3))
    publish_now(assembly, *predictions_made())

    for _ in range(8):
        for message in pipeline.lease():
            with suppress(Killed):
                pipeline.deliver(message)
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert "died" in owed.last_error
    assert len(doing.calls) == 4


@BOTH
def test_what_is_stored_but_unreadable_is_dead_with_a_reason(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    doing = Doing()
    pipeline.follow(kind(doing))
    with assembly.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO insights.events (id, type, source, user_id, data) "
                "VALUES (:id, 'prediction.made', 'raw', :id, '{\"prediction_count\": -1}')"
            ),
            {"id": uuid7()},
        )
    publish_now(assembly, *predictions_made())

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert "prediction_count" in owed.last_error
    assert "model_id" in owed.last_error
    assert len(doing.seen) == 1


def test_a_provider_that_is_down_spends_no_attempt_and_gets_a_single_probe(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def down(batch: Sequence[Event]) -> None:
        raise ProviderDown("it is away")

    doing = Doing(down)
    pipeline.follow(calling(doing, batch=10, max_attempts=2))
    publish_now(assembly, *predictions_made(100))
    for _ in range(4):
        pipeline.work()
        pipeline.pass_time()
    calls_until_rest = len(doing.calls)

    assert calls_until_rest == 3
    assert {(row.attempts, row.leased) for row in pipeline.owed()} == {(0, False)}

    for _ in range(50):
        pipeline.pass_time()
        end_rest(assembly)
        pipeline.work()
    assert [len(call) for call in doing.calls[3:]] == [1] * 50
    assert {row.attempts for row in pipeline.owed()} == {0}

    doing.behave = lambda _batch: None
    pipeline.pass_time()
    end_rest(assembly)
    pipeline.work()

    assert pipeline.owed() == []
    assert max(len(call) for call in doing.calls[53:]) == 10


def end_rest(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.handlers SET resume_at = now() WHERE resume_at IS NOT NULL")
        )


def test_an_external_effect_has_the_same_key_on_every_try(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def fail(batch: Sequence[Event]) -> None:
        raise ValueError

    doing = Doing(fail)
    pipeline.follow(calling(doing, batch=1))
    publish_now(assembly, *predictions_made())
    for _ in range(3):
        pipeline.work()
        pipeline.pass_time()

    assert len(doing.keys) == 3
    assert len(set(doing.keys)) == 1


def test_a_copy_of_a_message_does_not_begin_external_work_a_second_time(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    publish_now(assembly, *predictions_made())
    copies: list[Any] = []

    def deliver_the_copy(batch: Sequence[Event]) -> None:
        pipeline.deliver(copies[0])

    doing = Doing(deliver_the_copy)
    pipeline.follow(calling(doing))
    publish_now(assembly, *predictions_made())
    copies += pipeline.lease()

    pipeline.deliver(copies[0])

    assert len(doing.calls) == 1
    assert pipeline.owed() == [row for row in pipeline.owed() if row.handler != "calling"]


@BOTH
def test_a_copy_of_a_message_that_failed_spends_no_attempt(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    def fail(batch: Sequence[Event]) -> None:
        raise ValueError

    doing = Doing(fail)
    pipeline.follow(kind(doing))
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()

    for _ in range(3):
        pipeline.deliver(message)

    assert [row.attempts for row in pipeline.owed()] == [1]
    assert len(doing.calls) == 1


@BOTH
def test_a_copy_of_a_message_that_died_publishes_no_second_death(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    def fail(batch: Sequence[Event]) -> None:
        raise ValueError

    def told(event: Event) -> Event:
        return event.follow(UserLoggedIn, uuid7())

    pipeline.follow(kind(Doing(fail), max_attempts=1, on_death=told))
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()

    for _ in range(3):
        pipeline.deliver(message)

    with assembly.engine.connect() as connection:
        query = "SELECT count(*) FROM insights.events WHERE type = 'user.logged_in'"
        assert connection.scalar(text(query)) == 1


def test_who_lost_the_lease_neither_finishes_nor_publishes(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def lose_the_lease(batch: Sequence[Event]) -> Any:
        with assembly.engine.begin() as connection:
            connection.execute(text("UPDATE insights.deliveries SET leases = leases + 1"))
        return batch[0].follow(UserLoggedIn)

    pipeline.follow(calling(Doing(lose_the_lease), batch=1))
    publish_now(assembly, *predictions_made())

    for message in pipeline.lease():
        pipeline.deliver(message)

    assert len(pipeline.owed()) == 1
    with assembly.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM insights.events")) == 1


def test_what_an_external_handler_returns_is_published_once(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(
        calling(Doing(lambda batch: batch[0].follow(UserLoggedIn)), batch=1),
    )
    (event,) = predictions_made()
    publish_now(assembly, event)
    (message,) = pipeline.lease()

    pipeline.deliver(message)
    pipeline.deliver(message)

    with assembly.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT correlation_id, causation_id FROM insights.events WHERE type LIKE 'user%'")
        ).all()
    assert rows == [(event.id, event.id)]


def test_a_message_of_a_larger_batch_than_the_handler_takes_is_split(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    doing = Doing()
    pipeline.follow(writing(doing, batch=100))
    publish_now(assembly, *predictions_made(10))
    (message,) = pipeline.lease()
    pipeline.handlers = {"writing": writing(doing, batch=1)}

    pipeline.deliver(message)

    assert [len(call) for call in doing.calls] == [1] * 10
