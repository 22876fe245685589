"""Batches counted at the same time: the counts are exact, each mark is published once."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from events import Event
from runtime.assembly import Assembly
from tests.factories import dataset_uploaded, prediction_made, sign_up, training_started
from tests.handlers.expected_usage import expected, stored

THREADS = 4
OCTOBER = datetime(2025, 10, 20, tzinfo=UTC)
SEPTEMBER = datetime(2025, 9, 20, tzinfo=UTC)
WAITING_SESSIONS = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
""")
INCREMENT = text("SELECT public.increment_usage(:user, 'predictions', :amount)")


def count(assembly: Assembly, events: Sequence[Event]) -> None:
    """One batch, handled in a transaction that is never tried again."""
    with assembly.sessions.begin() as session:
        assembly.handlers["usage"](events, session)


def side_by_side(assembly: Assembly, work: Sequence[Sequence[Sequence[Event]]]) -> None:
    """Handle each list of batches in a thread of its own; raises what a thread raised."""
    ready = threading.Barrier(len(work))

    def run(batches: Sequence[Sequence[Event]]) -> None:
        ready.wait()
        for batch in batches:
            count(assembly, batch)

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(run, batches) for batches in work]:
            done.result()


def until_it_waits(assembly: Assembly, work: "Future[None]") -> None:
    """Return once the work stands behind a lock of another transaction."""
    with assembly.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(WAITING_SESSIONS) == 0:
            assert not work.done()


def test_batches_of_one_user_at_once_are_counted_exactly(assembly: Assembly, user_id: UUID) -> None:
    events = [
        make
        for n in range(40)
        for make in (
            prediction_made(user_id, 1, OCTOBER),
            prediction_made(user_id, 2, SEPTEMBER),
            training_started(user_id, OCTOBER),
            dataset_uploaded(user_id, OCTOBER, f"d-{n % 30}"),
        )
    ]
    shares = [events[n::THREADS] for n in range(THREADS)]
    side_by_side(assembly, [[share[i : i + 5] for i in range(0, 40, 5)] for share in shares])

    assert stored(assembly, [user_id]) == expected({user_id: "free"}, events)


def test_the_same_events_in_many_threads_count_once(assembly: Assembly, user_id: UUID) -> None:
    events = [prediction_made(user_id, 1, OCTOBER) for _ in range(90)]
    side_by_side(assembly, [[events[i : i + 9] for i in range(0, 90, 9)]] * THREADS)

    assert stored(assembly, [user_id]) == expected({user_id: "free"}, events)


def test_two_users_in_opposite_order_never_block_each_other_for_ever(assembly: Assembly) -> None:
    users = [sign_up(assembly), sign_up(assembly)]
    batches = [
        [[prediction_made(user, 1, OCTOBER) for user in order] for _ in range(40)]
        for order in (users, users[::-1], users, users[::-1])
    ]
    side_by_side(assembly, batches)

    events = [event for thread in batches for batch in thread for event in batch]
    assert stored(assembly, users) == expected(dict.fromkeys(users, "free"), events)


@pytest.mark.parametrize("at", [OCTOBER, SEPTEMBER], ids=["this month", "a month before"])
def test_a_batch_that_waits_for_another_sees_its_count(
    assembly: Assembly, user_id: UUID, at: datetime
) -> None:
    newest, first, second = (
        prediction_made(user_id, 1, OCTOBER),
        prediction_made(user_id, 60, at),
        prediction_made(user_id, 60, at),
    )
    count(assembly, [newest])

    with ThreadPoolExecutor(1) as pool:
        with assembly.sessions.begin() as session:
            assembly.handlers["usage"]([first], session)
            waiting: Future[None] = pool.submit(count, assembly, [second])
            until_it_waits(assembly, waiting)
        waiting.result()

    assert stored(assembly, [user_id]) == expected({user_id: "free"}, [newest, first, second])


def test_counting_by_rpc_and_by_events_at_once_marks_once(
    assembly: Assembly, user_id: UUID
) -> None:
    def by_rpc() -> None:
        with assembly.engine.begin() as connection:
            connection.execute(INCREMENT, {"user": user_id, "amount": 60})

    with ThreadPoolExecutor(1) as pool:
        with assembly.sessions.begin() as session:
            assembly.handlers["usage"]([prediction_made(user_id, 60, datetime.now(UTC))], session)
            waiting: Future[None] = pool.submit(by_rpc)
            until_it_waits(assembly, waiting)
        waiting.result()

    usage = stored(assembly, [user_id])
    assert sum(amount for _, _, _, amount, _ in usage.ledger) == 120
    assert sorted(mark for *_, mark in usage.marks) == ["100", "80", "exceeded"]
    assert len(usage.published) == 3


def test_a_profile_that_is_deleted_meanwhile_leaves_no_usage_behind(
    assembly: Assembly, user_id: UUID
) -> None:
    """The batch fails whole, and is tried again without the deleted user."""
    delete = text("DELETE FROM public.profiles WHERE id = :user")
    with ThreadPoolExecutor(1) as pool:
        with assembly.engine.begin() as connection:
            connection.execute(delete, {"user": user_id})
            waiting: Future[None] = pool.submit(
                count, assembly, [prediction_made(user_id, 1, OCTOBER)]
            )
            until_it_waits(assembly, waiting)
        error = waiting.exception()

    assert "usage_limits_user_id_fkey" in str(error)
    assert stored(assembly, [user_id]) == expected({}, [])
