"""Leases of work that takes long, and of work that must stop in the middle."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from events import Event
from tests.conftest import publish_now
from tests.engine import Engine
from tests.workers.doing import Doing, calling
from tests.workers.test_relay import made
from workers.assembly import Assembly
from workers.worker import shortest_lease


def make_due(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now()"))


def test_the_lease_of_external_work_is_extended_while_it_runs(
    assembly: Assembly, engine: Engine
) -> None:
    def take_long(batch: Sequence[Event]) -> None:
        make_due(assembly)
        for held in engine.keeper.held():
            engine.keeper.extend(held)
        assert engine.lease() == []

    doing = Doing(take_long)
    engine.follow(calling(doing))
    publish_now(assembly, *made(3))

    engine.work()

    assert len(doing.calls) == 1
    assert engine.owed() == []


def test_work_that_must_stop_in_the_middle_is_due_again_at_once_at_no_cost(
    assembly: Assembly, engine: Engine
) -> None:
    def be_stopped(batch: Sequence[Event]) -> None:
        engine.keeper.release()

    engine.follow(calling(Doing(be_stopped), batch=1))
    publish_now(assembly, *made())
    (message,) = engine.lease()
    seen: list[tuple[bool, int, bool]] = []

    def look(batch: Sequence[Event]) -> None:
        be_stopped(batch)
        (row,) = engine.owed()
        seen.append((row.leased, row.attempts, row.due_at <= datetime.now(UTC) + timedelta(1)))

    engine.handlers = {"calling": calling(Doing(look), batch=1)}
    engine.deliver(message)

    assert seen == [(False, 0, True)]


def test_the_second_try_of_stopped_work_is_refunded_too(assembly: Assembly, engine: Engine) -> None:
    attempts: list[int] = []

    def be_stopped(batch: Sequence[Event]) -> None:
        attempts.append(engine.owed()[0].attempts)
        engine.keeper.release()
        attempts.append(engine.owed()[0].attempts)

    engine.follow(calling(Doing(be_stopped), batch=1))
    publish_now(assembly, *made())
    engine.lease()
    engine.pass_time()
    (message,) = engine.lease()

    engine.deliver(message)

    assert attempts == [1, 0]


def test_the_shortest_lease_of_all_handlers_sets_the_pace() -> None:
    short = calling(Doing(), lease=timedelta(seconds=3))

    assert shortest_lease([calling(Doing()), short]) == 3
