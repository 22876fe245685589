"""Usage is counted in the right month, misses nothing and counts nothing twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.event import listen, remove

from events import DatasetDeleted, Event, UserDeleted, uuid7
from runtime.assembly import Assembly
from tests.factories import (
    dataset_uploaded,
    prediction_made,
    publish_now,
    training_started,
)
from tests.handlers.expected_usage import expected, stored
from tests.pipeline import Pipeline

LONG_AGO = datetime(2025, 3, 14, tzinfo=UTC)


def give_profile(assembly: Assembly, user: UUID) -> None:
    """Make a profile over a connection of its own, as another process does."""
    url = assembly.settings.postgres_url.replace("+psycopg", "", 1)
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO public.profiles (id) VALUES (%s)", [user])


@contextmanager
def right_after(assembly: Assembly, number: int, do: Callable[[], None]) -> Iterator[None]:
    """Do something once, right after the n-th statement of the block or else at its end."""
    seen: list[str] = []

    def executed(*arguments: Any) -> None:
        seen.append(arguments[2])
        if len(seen) == number:
            do()

    listen(assembly.engine, "after_cursor_execute", executed)
    yield
    remove(assembly.engine, "after_cursor_execute", executed)
    if len(seen) < number:
        do()


def test_a_late_event_counts_in_the_month_it_happened_in(
    assembly: Assembly, usage_pipeline: Pipeline, user_id: UUID
) -> None:
    events = [prediction_made(user_id, 70, datetime(2025, 10, 2, tzinfo=UTC))]
    late = [prediction_made(user_id, 85, datetime(2025, 9, 30, 23, 59, tzinfo=UTC))]
    publish_now(assembly, *events)
    usage_pipeline.work()
    publish_now(assembly, *late)
    usage_pipeline.work()

    usage = stored(assembly, [user_id])
    assert usage == expected({user_id: "free"}, events + late)
    assert usage.rows == {(user_id, 0, 0, 70, "2025-10")}
    assert usage.marks == {(user_id, "predictions", "2025-09", 100, "80")}


def test_a_late_data_set_takes_its_place_in_later_months_too(
    assembly: Assembly, usage_pipeline: Pipeline, user_id: UUID
) -> None:
    september, october = datetime(2025, 9, 5, tzinfo=UTC), datetime(2025, 10, 5, tzinfo=UTC)
    events = [dataset_uploaded(user_id, october, "d-0")]
    events += [dataset_uploaded(user_id, september, f"d-{n}") for n in range(1, 5)]
    for event in events:
        publish_now(assembly, event)
        usage_pipeline.work()

    usage = stored(assembly, [user_id])
    assert usage == expected({user_id: "free"}, events)
    assert usage.marks == {
        (user_id, "datasets", "2025-09", 5, "80"),
        (user_id, "datasets", "2025-10", 5, "80"),
        (user_id, "datasets", "2025-10", 5, "100"),
    }


@pytest.mark.parametrize("number", range(1, 8))
def test_a_profile_that_comes_while_its_event_is_handled_misses_no_count(
    assembly: Assembly, usage_pipeline: Pipeline, number: int
) -> None:
    user = uuid7()
    publish_now(assembly, training_started(user, datetime.now(UTC)))

    with right_after(assembly, number, lambda: give_profile(assembly, user)):
        usage_pipeline.answer("usage")
    usage_pipeline.pass_time()
    usage_pipeline.work()

    assert {row[2] for row in stored(assembly, [user]).rows} == {1}
    assert usage_pipeline.owed() == []


def test_an_event_that_overtakes_its_sign_up_waits_and_spends_no_attempt(
    assembly: Assembly, usage_pipeline: Pipeline
) -> None:
    user = uuid7()
    publish_now(assembly, prediction_made(user, 5))
    for _ in range(20):
        usage_pipeline.work()
        usage_pipeline.pass_time()
    (waiting,) = usage_pipeline.owed()
    assert (waiting.attempts, waiting.died_at) == (0, None)
    assert waiting.last_error == f"No profile has the id {user}."

    give_profile(assembly, user)
    usage_pipeline.work()

    assert {row[3] for row in stored(assembly, [user]).rows} == {5}


def test_an_event_of_an_unknown_user_is_tried_again_but_not_for_ever(
    assembly: Assembly, usage_pipeline: Pipeline
) -> None:
    publish_now(assembly, prediction_made(uuid7(), 5, LONG_AGO))
    for _ in range(20):
        usage_pipeline.work()
        usage_pipeline.pass_time()

    (dead,) = usage_pipeline.owed()
    assert dead.attempts == usage_pipeline.handlers["usage"].max_attempts
    assert dead.died_at is not None


def test_one_unknown_user_fails_no_other_event_of_the_batch(
    assembly: Assembly, usage_pipeline: Pipeline, user_id: UUID
) -> None:
    unknown = prediction_made(uuid7(), 1)
    publish_now(assembly, *(prediction_made(user_id, 1) for _ in range(20)), unknown)
    usage_pipeline.work()

    assert [each.event_id for each in usage_pipeline.owed()] == [unknown.id]
    assert {row[3] for row in stored(assembly, [user_id]).rows} == {20}


def test_events_of_a_deleted_user_are_done_without_counting(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly, UserDeleted(user_id=user_id))
    pipeline.work()
    publish_now(assembly, prediction_made(user_id, 1))
    pipeline.work()
    pipeline.pass_time()
    pipeline.work()

    assert pipeline.owed() == []
    assert stored(assembly, [user_id]).rows == set()


def test_a_profile_that_is_deleted_and_made_again_keeps_what_was_used(
    assembly: Assembly, usage_pipeline: Pipeline, user_id: UUID
) -> None:
    now = datetime.now(UTC)
    before: list[Event] = [prediction_made(user_id, 70, now), dataset_uploaded(user_id, now, "a")]
    before.append(prediction_made(user_id, 3, LONG_AGO))
    publish_now(assembly, *before)
    usage_pipeline.work()
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM public.profiles WHERE id = :u"), {"u": user_id})
    give_profile(assembly, user_id)

    after: list[Event] = [prediction_made(user_id, 20, now), dataset_uploaded(user_id, now, "b")]
    after.append(DatasetDeleted(user_id=user_id, occurred_at=now, dataset_id="a"))
    publish_now(assembly, *after)
    usage_pipeline.work()

    assert stored(assembly, [user_id]).without_data_set_marks() == expected(
        {user_id: "free"}, [*before, *after]
    )
