"""A provider that fails for some events while it answers all others: setbacks."""

from typing import Any

from sqlalchemy import text

from errors import ProviderDown, ProviderLimited
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler, raising
from tests.pipeline import Pipeline


def answers_500() -> ProviderDown:
    return ProviderDown("It answers 500.")


def move_time(assembly: Assembly, *, seconds: int) -> None:
    with assembly.engine.begin() as connection:
        for moved in ("handlers SET resume_at = resume_at", "deliveries SET due_at = due_at"):
            statement = f"UPDATE insights.{moved} - {seconds} * interval '1 second'"
            connection.execute(text(statement))


def work_for_days(pipeline: Pipeline) -> None:
    # Which delivery probes is a matter of chance here: it may be one that fails, for many days.
    for _ in range(60):
        pipeline.pass_time()
        pipeline.half_open_circuits()
        pipeline.work()


def waiting(pipeline: Pipeline) -> list[Any]:
    """All deliveries, and in how many seconds each is due."""
    with pipeline.assembly.engine.connect() as connection:
        return list(
            connection.execute(
                text("SELECT event_id, setbacks, attempts, last_error, died_at, "
                     "coalesce(extract(epoch FROM due_at - now()), 0) AS seconds "
                     "FROM insights.deliveries")
            )
        )  # fmt: skip


def test_its_neighbours_get_away_from_an_event_with_setbacks(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(500)
    poison = events[250].id
    effect = FakeEffect(raising(answers_500, {poison}))
    pipeline.follow(external_handler(effect, batch=500))
    publish_now(assembly, *events)

    for _ in range(4):
        pipeline.work()
        pipeline.pass_time()

    assert [row.event_id for row in waiting(pipeline)] == [poison]
    assert len([call for call in effect.calls if poison in call]) == 4
    assert sum(len(call) for call in effect.calls) <= 500 + 500 + 62 + 7 + 1


def test_neighbours_get_away_from_several(assembly: Assembly, pipeline: Pipeline) -> None:
    events = predictions_made(300)
    poison = {event.id for event in events[::60]}
    pipeline.follow(external_handler(FakeEffect(raising(answers_500, poison)), batch=100))
    publish_now(assembly, *events)

    work_for_days(pipeline)

    assert {row.event_id for row in waiting(pipeline)} == poison


def test_many_of_them_do_not_keep_the_others_waiting(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(400)
    poison = {event.id for event in events[::40]}
    pipeline.follow(external_handler(FakeEffect(raising(answers_500, poison)), batch=100))
    publish_now(assembly, *events)

    for _ in range(60):
        pipeline.work()
        move_time(assembly, seconds=2)

    assert {row.event_id for row in waiting(pipeline)} == poison


def test_an_event_with_setbacks_is_tried_ever_less_and_never_dies(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    (poison,) = predictions_made()
    effect = FakeEffect(raising(answers_500, {poison.id}))
    pipeline.follow(external_handler(effect, batch=1, max_attempts=2))
    publish_now(assembly, poison)

    pauses = []
    for _ in range(20):
        pipeline.pass_time()
        pipeline.work()
        (row,) = waiting(pipeline)
        pauses.append(round(row.seconds))
        publish_now(assembly, *predictions_made())
        pipeline.work()

    assert pauses == [1, 4, 16, 64, 256, 1024] + [3600] * 14
    assert (row.attempts, row.died_at, row.last_error) == (0, None, "It answers 500.")


def test_an_outage_for_all_is_no_setback_of_single_events(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(answers_500))
    pipeline.follow(external_handler(effect, batch=10))
    publish_now(assembly, *predictions_made(40))

    work_for_days(pipeline)

    rows = waiting(pipeline)
    assert len(rows) == 40
    assert {row.setbacks for row in rows} <= {0, 1}
    assert max(row.seconds for row in rows) < 10


def test_an_event_keeps_its_pause_when_the_provider_is_down_for_all(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    (poison,) = predictions_made()
    pipeline.follow(external_handler(FakeEffect(raising(answers_500, {poison.id})), batch=1))
    publish_now(assembly, poison)
    for _ in range(3):
        pipeline.pass_time()
        pipeline.work()
        publish_now(assembly, *predictions_made())
        pipeline.work()
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET failures_in_row = 5"))

    pipeline.pass_time()
    pipeline.work()

    (row,) = waiting(pipeline)
    assert (row.setbacks, round(row.seconds)) == (3, 64)


def test_being_rate_limited_is_no_setback(assembly: Assembly, pipeline: Pipeline) -> None:
    effect = FakeEffect(raising(lambda: ProviderLimited("It answers 429.")))
    pipeline.follow(external_handler(effect, batch=1))
    publish_now(assembly, *predictions_made())
    for _ in range(5):
        pipeline.half_open_circuits()
        pipeline.pass_time()
        pipeline.work()

    (row,) = waiting(pipeline)
    assert (row.setbacks, row.attempts) == (0, 0)


def test_an_event_with_setbacks_is_reported_once_when_it_goes_alone(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: Any
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(assembly.sentry, "failed", lambda work, *_, **_more: reported.append(work))
    events = predictions_made(100)
    poison = events[7].id
    pipeline.follow(external_handler(FakeEffect(raising(answers_500, {poison})), batch=100))
    publish_now(assembly, *events)

    for _ in range(8):
        pipeline.work()
        pipeline.pass_time()
        publish_now(assembly, *predictions_made())

    assert [work.event_id for work in reported] == [str(poison)]
