"""What was not done: charged, put off, given back, or dead."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection

from models.deliveries.claim import finish
from models.deliveries.failures import Failure, defer, give_back, record
from models.deliveries.lease import Lease
from models.deliveries.take import put_back, take
from runtime.assembly import Assembly
from tests.models.concurrency import meanwhile
from tests.models.deliveries.conftest import HANDLER, Change, Claimed, Due, Row

MAX_ATTEMPTS = 3
HOUR = timedelta(hours=1)

# (attempts before, what the failure says, attempts after and whether it is dead)
FAILURES: dict[str, tuple[int, dict[str, Any], tuple[int, bool]]] = {
    "first": (0, {}, (1, False)),
    "last": (2, {}, (3, True)),
    "rejected": (0, {"dead": True}, (1, True)),
    "its process died too often": (3, {"charge": 0, "dead": True}, (3, True)),
    "put off for ever": (9, {"charge": 0, "after": HOUR}, (9, False)),
}


@pytest.mark.parametrize(("before", "given", "left"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_is_charged_and_the_last_one_is_a_death(
    before: int,
    given: dict[str, Any],
    left: tuple[int, bool],
    claimed: Claimed,
    connection: Connection,
    change: Change,
    row: Row,
) -> None:
    (mine,) = claimed(1)
    change(f"attempts = {before}")
    failure = Failure(mine.lease, 'It failed, {sometimes} "badly".', **given)

    found = record(connection, HANDLER, [failure], MAX_ATTEMPTS)

    assert found == {mine.id: left[1]}
    after = row(mine.id)
    assert (after.attempts, after.died_at is not None) == left
    assert (after.leased, after.last_error) == (False, failure.error)
    # The lease has its outcome: who reports it a second time changes nothing.
    assert record(connection, HANDLER, [failure], MAX_ATTEMPTS) == {}


def test_only_the_holder_of_the_newest_token_writes_a_failure(
    claimed: Claimed, connection: Connection, row: Row
) -> None:
    (mine,) = claimed(1)
    old = Lease(mine.id, mine.token - 1)

    assert record(connection, HANDLER, [Failure(old, "no")], MAX_ATTEMPTS) == {}
    assert defer(connection, HANDLER, [old], "down", setback=True) == 0
    assert (row(mine.id).leased, row(mine.id).last_error) == (True, None)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 5), (1, 10), (2, 20), (6, 320), (9, 2560), (10, 3600), (90, 3600)]
)
def test_the_back_off_doubles_up_to_an_hour_with_jitter(
    attempts: int,
    seconds: float,
    claimed: Claimed,
    connection: Connection,
    change: Change,
    row: Row,
) -> None:
    mine = claimed(40)
    change(f"attempts = {attempts}")

    record(connection, HANDLER, [Failure(each.lease, "x") for each in mine], max_attempts=1000)

    waits = [row(each.id).wait for each in mine]
    assert min(waits) > seconds * 0.5 - 1
    assert max(waits) < seconds * 1.5
    assert max(waits) - min(waits) > seconds * 0.3


def test_what_is_put_off_is_due_after_that_time(
    claimed: Claimed, connection: Connection, row: Row
) -> None:
    (mine,) = claimed(1)

    record(connection, HANDLER, [Failure(mine.lease, "not yet", charge=0, after=HOUR)], 3)

    assert row(mine.id).wait == pytest.approx(3600, abs=5)


def test_each_setback_puts_off_four_times_as_long_at_no_attempt(
    claimed: Claimed, connection: Connection, change: Change, row: Row
) -> None:
    (mine,) = claimed(1)
    waits = []
    for setbacks in range(1, 9):
        change("leased = true")
        assert defer(connection, HANDLER, [mine.lease], "down", setback=True) == setbacks
        waits.append(round(row(mine.id).wait))

    assert waits == [1, 4, 16, 64, 256, 1024, 3600, 3600]
    after = row(mine.id)
    assert (after.attempts, after.setbacks, after.died_at) == (0, 8, None)


def test_an_outage_for_all_counts_no_setback(
    claimed: Claimed, connection: Connection, row: Row
) -> None:
    (mine,) = claimed(1)

    assert defer(connection, HANDLER, [mine.lease], "down", setback=False) == 0

    after = row(mine.id)
    assert (after.setbacks, after.attempts, after.leased) == (0, 0, False)


def test_the_failure_of_what_was_taken_is_written_once_it_is_put_back(
    due: Due, assembly: Assembly, row: Row
) -> None:
    due(2)
    with assembly.engine.begin() as transaction:
        failed, later = take(transaction, HANDLER, 100)
        put_back(transaction, [failed, later])
        assert record(transaction, HANDLER, [Failure(failed.lease, "no")], 3) == {failed.id: False}
        defer(transaction, HANDLER, [later.lease], "in the way", setback=True)

    assert (row(failed.id).attempts, row(failed.id).leased) == (1, False)
    assert (row(later.id).setbacks, row(later.id).leased) == (1, False)


def test_a_failure_is_written_although_the_lease_is_just_being_changed(
    claimed: Claimed, assembly: Assembly, connection: Connection, row: Row
) -> None:
    (mine,) = claimed(1)
    found: list[dict[UUID, bool]] = []

    def write() -> None:
        with assembly.sessions.begin() as session:
            found.append(record(session, HANDLER, [Failure(mine.lease, "no")], MAX_ATTEMPTS))

    with meanwhile(assembly, write) as other:
        other.exec_driver_sql("UPDATE insights.deliveries SET due_at = due_at + interval '1 s'")

    assert found == [{mine.id: False}]
    assert row(mine.id).attempts == 1


def test_what_is_given_back_is_due_now_under_a_new_token_at_no_attempt(
    claimed: Claimed, connection: Connection, row: Row
) -> None:
    (mine,) = claimed(1)

    assert give_back(connection, mine.handler_id, [mine.id]) == {mine.id}

    after = row(mine.id)
    assert (after.leased, after.leases, after.wait <= 0) == (False, mine.token + 1, True)
    assert (after.setbacks, after.attempts, after.last_error) == (0, 0, None)
    assert finish(connection, HANDLER, [mine.lease]) == set()  # whoever had it wakes up too late


def test_what_a_dead_process_had_goes_on_in_smaller_company_and_is_charged_if_alone(
    due: Due, connection: Connection, change: Change, row: Row
) -> None:
    (mine,) = due(1)
    handler_id = row(mine).handler

    give_back(connection, handler_id, [mine], setback=True, charge=True, error="It died.")
    change("due_at = now()", mine)
    give_back(connection, handler_id, [mine], setback=True)

    after = row(mine)
    assert (after.setbacks, after.attempts, after.last_error) == (2, 1, "It died.")


@pytest.mark.parametrize(
    "outcome",
    [
        "died_at = now()",
        "leased = false, due_at = now() + interval '1 minute'",
        "waits_for = '{1}'",
    ],
    ids=["dead", "in its back-off", "waiting"],
)
def test_what_has_had_its_outcome_is_not_given_back(
    outcome: str, claimed: Claimed, connection: Connection, change: Change, row: Row
) -> None:
    (mine,) = claimed(1)
    change(outcome)
    before = row(mine.id)

    assert give_back(connection, mine.handler_id, [mine.id], setback=True) == set()

    assert (row(mine.id).leases, row(mine.id).setbacks) == (before.leases, before.setbacks)


def test_giving_back_does_not_wait_for_who_has_it_in_an_open_transaction(
    due: Due, assembly: Assembly, row: Row
) -> None:
    (held, free) = due(2)
    handler_id = row(held).handler

    with assembly.engine.begin() as worker, assembly.engine.begin() as other:
        (taken,) = take(worker, HANDLER, 1)
        assert taken.id == held
        assert give_back(other, handler_id, [held, free]) == {free}
