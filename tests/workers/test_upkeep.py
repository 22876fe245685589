"""Dead processes are found, but not by somebody who could not have seen them live."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from models import server
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import BOTH_KINDS, FakeEffect, external_handler, raising
from tests.pipeline import LONG_SILENT, Killed, Pipeline
from workers.upkeep import TRUST_AFTER, Upkeep


class Clock:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def open_batches(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        query = "SELECT count(*) FROM insights.batches WHERE ended_on IS NULL"
        return int(connection.scalar(text(query)) or 0)


def work_and_die(pipeline: Pipeline, make_handler: Any) -> None:
    """A process dies with a batch of three in hand, long ago."""
    pipeline.follow(make_handler(FakeEffect(raising(Killed))))
    publish_now(pipeline.assembly, *predictions_made(3))
    pipeline.die_in(next(iter(pipeline.handlers)))
    with pipeline.assembly.engine.begin() as connection:
        connection.execute(LONG_SILENT)


def look_for(upkeep: Upkeep, clock: Clock, seconds: float) -> None:
    """Have it look once a second."""
    for _ in range(int(seconds)):
        clock.time += 1
        upkeep.run()


@BOTH_KINDS
def test_what_a_dead_process_had_in_hand_goes_on_in_smaller_company(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    work_and_die(pipeline, make_handler)
    clock = Clock()
    upkeep = Upkeep(assembly.engine, clock)

    look_for(upkeep, clock, TRUST_AFTER)

    assert open_batches(assembly) == 0
    pipeline.pass_time()
    rows = pipeline.owed()
    assert {(row.attempts, row.setbacks, row.state) for row in rows} == {(0, 1, "due")}


def test_after_an_outage_of_the_database_nobody_is_taken_for_dead_at_once(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    work_and_die(pipeline, external_handler)
    clock = Clock()
    upkeep = Upkeep(assembly.engine, clock)
    look_for(upkeep, clock, 10)
    upkeep.database_was_away()

    look_for(upkeep, clock, TRUST_AFTER - 1)
    assert open_batches(assembly) == 1

    look_for(upkeep, clock, 1)
    assert open_batches(assembly) == 0


def test_nobody_is_taken_for_dead_over_a_leap_of_the_databases_clock(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    """As when a machine was suspended, and all that runs on it."""
    work_and_die(pipeline, external_handler)
    clock = Clock()
    upkeep = Upkeep(assembly.engine, clock)
    with assembly.engine.connect() as connection:
        upkeep.database_time = server.database_time(connection) - timedelta(seconds=6)

    clock.time += TRUST_AFTER
    upkeep.run()
    assert open_batches(assembly) == 1

    clock.time += TRUST_AFTER
    upkeep.run()
    assert open_batches(assembly) == 0


def test_what_waits_for_a_handler_that_is_off_is_let_go_within_a_minute(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    first = external_handler(FakeEffect(), "first")
    pipeline.follow(first, external_handler(FakeEffect(), "second", after=("first",)))
    publish_now(assembly, *predictions_made())
    clock = Clock()
    upkeep = Upkeep(assembly.engine, clock)
    with assembly.engine.begin() as connection:
        connection.execute(
            text("DELETE FROM insights.deliveries WHERE handler = "
                 "(SELECT id FROM insights.handlers WHERE name = 'first')")
        )  # fmt: skip

    look_for(upkeep, clock, 61)

    (row,) = pipeline.owed()
    assert (row.handler, row.state) == ("second", "due")


def test_partitions_of_the_next_days_are_there(assembly: Assembly) -> None:
    clock = Clock()
    upkeep = Upkeep(assembly.engine, clock)
    clock.time += 1
    upkeep.run()

    with assembly.engine.connect() as connection:
        query = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'insights.batches'::regclass"
        assert connection.scalar(text(query)) == 2 + 4  # in hand, default, today and three more
