"""Leases of work that takes long, and of work that must stop in the middle."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from events import Event
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.pipeline import Pipeline
from tests.workers.doing import Doing, calling
from workers.worker import shortest_lease


def make_due(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now()"))


def test_the_lease_of_external_work_is_extended_while_it_runs(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def take_long(batch: Sequence[Event]) -> None:
        make_due(assembly)
        for work in pipeline.renewal.running():
            pipeline.renewal.renew(work)
        assert pipeline.lease() == []

    doing = Doing(take_long)
    pipeline.follow(calling(doing))
    publish_now(assembly, *predictions_made(3))

    pipeline.work()

    assert len(doing.calls) == 1
    assert pipeline.owed() == []


def test_work_that_must_stop_in_the_middle_is_due_again_at_once_at_no_cost(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def be_stopped(batch: Sequence[Event]) -> None:
        pipeline.renewal.give_back()

    pipeline.follow(calling(Doing(be_stopped), batch=1))
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()
    seen: list[tuple[bool, int, bool]] = []

    def look(batch: Sequence[Event]) -> None:
        be_stopped(batch)
        (row,) = pipeline.owed()
        seen.append((row.leased, row.attempts, row.due_at <= datetime.now(UTC) + timedelta(1)))

    pipeline.handlers = {"calling": calling(Doing(look), batch=1)}
    pipeline.deliver(message)

    assert seen == [(False, 0, True)]


def test_the_second_try_of_stopped_work_is_refunded_too(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    attempts: list[int] = []

    def be_stopped(batch: Sequence[Event]) -> None:
        attempts.append(pipeline.owed()[0].attempts)
        pipeline.renewal.give_back()
        attempts.append(pipeline.owed()[0].attempts)

    pipeline.follow(calling(Doing(be_stopped), batch=1))
    publish_now(assembly, *predictions_made())
    pipeline.lease()
    pipeline.pass_time()
    (message,) = pipeline.lease()

    pipeline.deliver(message)

    assert attempts == [1, 0]


def test_the_shortest_lease_of_all_handlers_sets_the_pace() -> None:
    short = calling(Doing(), lease=timedelta(seconds=3))

    assert shortest_lease([calling(Doing()), short]) == 3
