"""What is in hand is a row until it ends, and what was done is kept by days."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from events import uuid7
from models import batches, processes
from models.batches import EndedBatch, close, close_all, close_unknown, end_dead, open_batch
from models.processes import DEAD_AFTER
from runtime.assembly import Assembly

HOUR = timedelta(hours=1)
HANDLER = 7
YOUNG, OLD = timedelta(seconds=14), timedelta(seconds=16)  # around DEAD_AFTER
AGE = text("UPDATE insights.batches SET since = now() - :age WHERE id = :id")
SEEN = text("UPDATE insights.processes SET seen_at = now() - :ago WHERE id = :id")
ROW = text("SELECT *, tableoid::regclass::text AS partition FROM insights.batches WHERE id = :id")
PARTITIONS = text("""
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'insights.batches'::regclass
      AND c.relname NOT IN ('batches_default', 'batches_in_hand')
    ORDER BY 1
""")


def opened(
    connection: Connection,
    process: UUID | None = None,
    events: int = 2,
    *,
    age: timedelta = timedelta(0),
    lease: timedelta | None = None,
    longest: timedelta = HOUR,
) -> int:
    """Open a batch of so many events, so long ago; return its id."""
    ids = [uuid7() for _ in range(events)]
    batch = open_batch(connection, process or uuid4(), HANDLER, ids, lease=lease, longest=longest)
    connection.execute(AGE, {"age": age, "id": batch})
    return batch


def row(connection: Connection, batch: int) -> Any:
    return connection.execute(ROW, {"id": batch}).one()


def end(connection: Connection, batch: int, *outcome: Any) -> EndedBatch | None:
    """End a batch, as its process does."""
    return close(connection, row(connection, batch).process, batch, *outcome)


def is_open(connection: Connection, batch: int) -> bool:
    return row(connection, batch).ended_at is None


def test_an_open_batch_says_who_has_what_in_hand_and_until_when(connection: Connection) -> None:
    process, ids = uuid4(), [uuid7(), uuid7()]

    batch = open_batch(connection, process, HANDLER, ids, lease=HOUR / 2, longest=HOUR)

    found = row(connection, batch)
    assert (found.process, found.handler, found.ids, found.events) == (process, HANDLER, ids, 2)
    assert (found.until - found.since, found.lease) == (HOUR, HOUR / 2)
    assert (found.ended_at, found.outcome, found.ms) == (None, None, None)


def test_a_batch_ends_once_with_what_became_of_it(connection: Connection) -> None:
    batch = opened(connection)
    ids = row(connection, batch).ids

    assert close(connection, uuid4(), batch, "given back") is None
    assert end(connection, batch, "done", 12.5, "one failed") == EndedBatch(
        HANDLER, ids, "one failed"
    )
    assert end(connection, batch, "given back") is None

    found = row(connection, batch)
    assert (found.outcome, found.ms, found.error) == ("done", 12.5, "one failed")


def test_what_one_process_has_in_hand_ends_with_it(connection: Connection) -> None:
    process = uuid4()
    mine, ended, others = (
        opened(connection, process),
        opened(connection, process),
        opened(connection),
    )
    end(connection, ended, "done")

    found = close_all(connection, process)

    assert [each.ids for each in found] == [row(connection, mine).ids]
    assert [is_open(connection, each) for each in (mine, ended, others)] == [False, False, True]
    assert (row(connection, mine).outcome, row(connection, ended).outcome) == ("given back", "done")


def test_what_a_process_does_not_know_of_ends_unless_it_is_young(connection: Connection) -> None:
    process = uuid4()
    known, unknown = opened(connection, process, age=OLD), opened(connection, process, age=OLD)
    young, others = opened(connection, process, age=YOUNG), opened(connection, age=OLD)

    found = close_unknown(connection, process, [known])

    assert [each.ids for each in found] == [row(connection, unknown).ids]
    still = [is_open(connection, each) for each in (known, unknown, young, others)]
    assert still == [True, False, True, True]
    assert len(close_unknown(connection, process, [])) == 1


@pytest.mark.parametrize("seen", [YOUNG, OLD, None], ids=["young", "old", "never"])
@pytest.mark.parametrize("age", [YOUNG, OLD], ids=["young batch", "old batch"])
def test_what_a_process_without_a_sign_of_life_has_in_hand_ends(
    age: timedelta, seen: timedelta | None, connection: Connection
) -> None:
    process = uuid4()
    if seen is not None:
        processes.beat(connection, process, "host:17")
        connection.execute(SEEN, {"ago": seen, "id": process})
    batch = opened(connection, process, events=1, age=age)

    found = end_dead(connection)

    # A process that was thawed a moment ago may have begun a batch before its next sign of life.
    is_dead = age > DEAD_AFTER and (seen is None or seen > DEAD_AFTER)
    assert is_open(connection, batch) is not is_dead
    assert [each.was_alone for each in found] == ([True] if is_dead else [])
    if is_dead:
        assert row(connection, batch).outcome == "died"
        assert ("host:17" if seen else "unknown") in found[0].error
        assert "15 s" in found[0].error


def test_what_runs_for_too_long_ends_though_its_process_lives(connection: Connection) -> None:
    process = uuid4()
    processes.beat(connection, process, "host:17")
    overdue = opened(connection, process, longest=timedelta(0))
    running = opened(connection, process, age=OLD)

    (found,) = end_dead(connection)

    assert "longest run" in found.error
    assert not found.was_alone
    assert [is_open(connection, each) for each in (overdue, running)] == [False, True]
    assert row(connection, overdue).outcome == "overdue"


def test_two_that_end_the_dead_at_once_share_them(
    connection: Connection, assembly: Assembly
) -> None:
    opened(connection, age=OLD)

    with assembly.engine.begin() as one, assembly.engine.begin() as other:
        found = [len(end_dead(one)), len(end_dead(other))]

    assert found == [1, 0]


@pytest.fixture
def days(assembly: Assembly) -> Iterator[Connection]:
    """A transaction without partitions of days; it is rolled back."""
    with assembly.engine.connect() as connection:
        for name in connection.scalars(PARTITIONS).all():
            connection.execute(text(f"DROP TABLE insights.{name}"))
        yield connection
        connection.rollback()


def partition_of(day: date) -> str:
    return f"batches_{day:%Y%m%d}"


def test_partitions_of_the_next_days_are_made_in_advance(days: Connection) -> None:
    today = datetime.now(UTC).date()

    for _ in range(2):
        batches.keep(days)
        expected = [partition_of(today + timedelta(n)) for n in range(batches.DAYS_AHEAD + 1)]
        assert days.scalars(PARTITIONS).all() == expected
    security = text("SELECT relrowsecurity FROM pg_class WHERE relname = :name")
    assert days.scalar(security, {"name": partition_of(today)}) is True


def test_a_batch_moves_to_its_day_when_it_ends(days: Connection) -> None:
    batches.keep(days)
    batch = opened(days)
    in_hand = row(days, batch).partition

    end(days, batch, "done")

    assert in_hand == "insights.batches_in_hand"
    assert row(days, batch).partition == f"insights.{partition_of(datetime.now(UTC).date())}"


def test_what_ended_before_its_day_had_a_partition_moves_there(days: Connection) -> None:
    ended, in_hand = opened(days), opened(days)
    end(days, ended, "done")
    assert row(days, ended).partition == "insights.batches_default"

    batches.keep(days)

    assert row(days, ended).partition == f"insights.{partition_of(datetime.now(UTC).date())}"
    assert row(days, in_hand).partition == "insights.batches_in_hand"


def test_days_long_past_are_dropped(days: Connection) -> None:
    today = datetime.now(UTC).date()
    kept, old = (today - timedelta(batches.DAYS_KEPT + n) for n in (0, 1))
    for day in (kept, old):
        days.execute(
            text(f"CREATE TABLE insights.{partition_of(day)} PARTITION OF insights.batches "
                 f"FOR VALUES IN ('{day}')")
        )  # fmt: skip
    batches.keep(days)

    names = days.scalars(PARTITIONS).all()
    assert partition_of(kept) in names
    assert partition_of(old) not in names


def test_processes_without_a_sign_of_life_for_a_day_are_forgotten(days: Connection) -> None:
    old, young = uuid4(), uuid4()
    for process, ago in ((old, timedelta(hours=25)), (young, timedelta(hours=23))):
        processes.beat(days, process, "host:17")
        days.execute(SEEN, {"ago": ago, "id": process})

    batches.keep(days)

    assert days.scalars(text("SELECT id FROM insights.processes")).all() == [young]
