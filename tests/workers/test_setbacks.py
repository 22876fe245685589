"""One event for which a provider is always out of order, while it answers all others."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from errors import KeyRefused, ProviderDown, ProviderLimited
from events import Event, PredictionMade, uuid7
from handlers import Reject, RetryLater
from runtime.assembly import Assembly
from tests.factories import publish_now
from tests.pipeline import Pipeline
from tests.workers.doing import Doing, calling

HOUR = timedelta(hours=1)


def made(count: int) -> list[PredictionMade]:
    return [
        PredictionMade(user_id=uuid7(), model_id="m-1", prediction_count=1) for _ in range(count)
    ]


def breaking_at(*poison: UUID) -> Doing:
    def behave(batch: Sequence[Event]) -> None:
        if any(event.id in poison for event in batch):
            raise ProviderDown("It answers 500.")

    return Doing(behave)


def rest_ends(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        ended = "UPDATE insights.handlers SET resume_at = now() WHERE resume_at IS NOT NULL"
        connection.execute(text(ended))


def move_on(assembly: Assembly, *, seconds: int) -> None:
    with assembly.engine.begin() as connection:
        for moved in ("handlers SET resume_at = resume_at", "deliveries SET due_at = due_at"):
            statement = f"UPDATE insights.{moved} - {seconds} * interval '1 second'"
            connection.execute(text(statement))


def days_later(pipeline: Pipeline) -> None:
    for _ in range(20):
        pipeline.pass_time()
        rest_ends(pipeline.assembly)
        pipeline.work()


def waits(pipeline: Pipeline) -> list[Any]:
    with pipeline.assembly.engine.connect() as connection:
        return list(
            connection.execute(
                text("SELECT event_id, setbacks, attempts, last_error, died_at, "
                     "extract(epoch FROM due_at - now()) AS seconds FROM insights.deliveries")
            )
        )  # fmt: skip


def test_its_neighbours_get_away_from_it(assembly: Assembly, pipeline: Pipeline) -> None:
    events = made(500)
    poison = events[250].id
    doing = breaking_at(poison)
    pipeline.follow(calling(doing, batch=500))
    publish_now(assembly, *events)

    for _ in range(4):
        pipeline.work()
        pipeline.pass_time()

    assert [row.event_id for row in waits(pipeline)] == [poison]
    assert len([call for call in doing.calls if poison in call]) == 4
    assert sum(len(call) for call in doing.calls) <= 500 + 500 + 62 + 7 + 1


def test_neighbours_get_away_from_several(assembly: Assembly, pipeline: Pipeline) -> None:
    events = made(300)
    poison = {event.id for event in events[::60]}
    pipeline.follow(calling(breaking_at(*poison), batch=100))
    publish_now(assembly, *events)

    days_later(pipeline)

    assert {row.event_id for row in waits(pipeline)} == poison


def test_it_is_tried_ever_less_and_never_dies(assembly: Assembly, pipeline: Pipeline) -> None:
    (poison,) = made(1)
    pipeline.follow(calling(breaking_at(poison.id), batch=1, max_attempts=2))
    publish_now(assembly, poison)

    pauses = []
    for _ in range(20):
        pipeline.pass_time()
        pipeline.work()
        (row,) = waits(pipeline)
        pauses.append(round(row.seconds))
        publish_now(assembly, *made(1))
        pipeline.work()

    assert pauses == [1, 4, 16, 64, 256, 1024] + [3600] * 14
    assert (row.attempts, row.died_at, row.last_error) == (0, None, "It answers 500.")


def test_an_outage_for_all_is_nobodys_setback(assembly: Assembly, pipeline: Pipeline) -> None:
    events = made(40)
    doing = breaking_at(*(event.id for event in events))
    pipeline.follow(calling(doing, batch=10))
    publish_now(assembly, *events)

    days_later(pipeline)

    rows = waits(pipeline)
    assert len(rows) == 40
    assert {row.setbacks for row in rows} <= {0, 1}
    assert max(row.seconds for row in rows) < 10


def test_many_of_them_do_not_choke_the_others(assembly: Assembly, pipeline: Pipeline) -> None:
    events = made(400)
    poison = {event.id for event in events[::40]}
    pipeline.follow(calling(breaking_at(*poison), batch=100))
    publish_now(assembly, *events)

    for _ in range(60):
        pipeline.work()
        move_on(assembly, seconds=2)

    assert {row.event_id for row in waits(pipeline)} == poison


def test_it_keeps_its_pause_when_the_provider_is_down_for_all(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    (poison,) = made(1)
    pipeline.follow(calling(breaking_at(poison.id), batch=1))
    publish_now(assembly, poison)
    for _ in range(3):
        pipeline.pass_time()
        pipeline.work()
        publish_now(assembly, *made(1))
        pipeline.work()
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET failures_in_row = 5"))

    pipeline.pass_time()
    pipeline.work()

    (row,) = waits(pipeline)
    assert (row.setbacks, round(row.seconds)) == (3, 64)


def test_the_whole_fleet_knows_that_others_are_answered(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    """A worker that met no failure itself ends the row of failures that others met."""
    (poison,) = made(1)
    pipeline.follow(calling(breaking_at(poison.id), batch=1))
    publish_now(assembly, poison)
    pipeline.work()
    other = Pipeline(assembly, pipeline.handlers)
    publish_now(assembly, *made(1))

    other.work()

    with assembly.engine.connect() as connection:
        failures = "SELECT failures_in_row FROM insights.handlers WHERE name = 'calling'"
        assert connection.scalar(text(failures)) == 0


def test_being_asked_too_often_is_no_setback(assembly: Assembly, pipeline: Pipeline) -> None:
    def behave(_batch: Sequence[Event]) -> None:
        raise ProviderLimited("It answers 429.")

    pipeline.follow(calling(Doing(behave), batch=1))
    publish_now(assembly, *made(1))
    for _ in range(5):
        rest_ends(assembly)
        pipeline.pass_time()
        pipeline.work()

    (row,) = waits(pipeline)
    assert (row.setbacks, row.attempts) == (0, 0)


def test_a_refused_key_is_reported_once_and_nothing_dies(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: Any
) -> None:
    def behave(_batch: Sequence[Event]) -> None:
        raise KeyRefused("It answers 401.")

    reported: list[Any] = []
    monkeypatch.setattr(assembly.sentry, "failed", lambda _work, error, **_: reported.append(error))
    pipeline.follow(calling(Doing(behave), batch=1, max_attempts=2))
    publish_now(assembly, *made(3))
    for _ in range(10):
        rest_ends(assembly)
        pipeline.pass_time()
        pipeline.work()

    assert [type(error) for error in reported] == [KeyRefused]
    assert {(row.attempts, row.died_at) for row in waits(pipeline)} == {(0, None)}


def test_a_probe_that_tells_nothing_does_not_prolong_the_rest(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    outcomes = iter([ProviderDown("away")] * 3 + [Reject("held"), RetryLater(HOUR, "not yet")])

    def behave(_batch: Sequence[Event]) -> None:
        if outcome := next(outcomes, None):
            raise outcome

    doing = Doing(behave)
    pipeline.follow(calling(doing, batch=1))
    publish_now(assembly, *made(5))
    for _ in range(3):
        pipeline.pass_time()
        pipeline.deliver(pipeline.lease()[0])
    rest_ends(assembly)
    pipeline.pass_time()

    pipeline.work()

    assert sorted(row.died_at is None for row in waits(pipeline)) == [False, True]


def test_it_is_reported_once_when_it_stands_alone(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: Any
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(assembly.sentry, "failed", lambda work, *_, **_more: reported.append(work))
    events = made(100)
    poison = events[7].id
    pipeline.follow(calling(breaking_at(poison), batch=100))
    publish_now(assembly, *events)

    for _ in range(8):
        pipeline.work()
        pipeline.pass_time()
        publish_now(assembly, *made(1))

    assert [work.event_id for work in reported] == [str(poison)]
