"""What was not done: charged, put off, dead, or forgotten with its event."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from models.deliveries.failures import Failure, charge, defer, forget_orphans, record
from models.deliveries.lease import Lease
from tests.models.deliveries.conftest import HANDLER, Leased, Row

MAX_ATTEMPTS = 3
HOUR = timedelta(hours=1)


def set_on_all(connection: Connection, assignment: str) -> None:
    connection.execute(text(f"UPDATE insights.deliveries SET {assignment}"))


# (attempts before, what the failure says, attempts after and whether it is dead)
FAILURES: dict[str, tuple[int, dict[str, Any], tuple[int, bool]]] = {
    "first": (0, {}, (1, False)),
    "last": (2, {}, (3, True)),
    "rejected": (0, {"dead": True}, (1, True)),
    "charged before": (3, {"charge": 0}, (3, True)),
    "refunded": (2, {"charge": -1, "after": HOUR}, (1, False)),
    "put off for ever": (9, {"charge": 0, "after": HOUR}, (9, False)),
}


@pytest.mark.parametrize(("before", "given", "left"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_is_charged_and_the_last_one_is_a_death(
    before: int,
    given: dict[str, Any],
    left: tuple[int, bool],
    leased: Leased,
    connection: Connection,
    row: Row,
) -> None:
    (lease,) = leased(1)
    set_on_all(connection, f"attempts = {before}")
    failure = Failure(lease, 'It failed, {sometimes} "badly".', **given)

    found = record(connection, HANDLER, [failure], MAX_ATTEMPTS)

    id_ = UUID(lease.event_id)
    assert found == {id_: left[1]}
    assert (row(id_).attempts, row(id_).died_at is not None) == left
    assert (row(id_).leased, row(id_).last_error) == (False, failure.error)
    # The lease has its outcome: a duplicate of the message changes nothing.
    assert record(connection, HANDLER, [failure], MAX_ATTEMPTS) == {}


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 5), (1, 10), (2, 20), (6, 320), (9, 2560), (10, 3600), (90, 3600)]
)
def test_the_back_off_doubles_up_to_an_hour_with_jitter(
    attempts: int, seconds: float, leased: Leased, connection: Connection, row: Row
) -> None:
    leases = leased(40)
    set_on_all(connection, f"attempts = {attempts}")

    record(connection, HANDLER, [Failure(lease, "x") for lease in leases], max_attempts=1000)

    waits = [row(UUID(lease.event_id)).wait for lease in leases]
    assert min(waits) > seconds * 0.5 - 1
    assert max(waits) < seconds * 1.5
    assert max(waits) - min(waits) > seconds * 0.3


def test_what_is_put_off_is_due_after_that_time(
    leased: Leased, connection: Connection, row: Row
) -> None:
    (lease,) = leased(1)

    record(connection, HANDLER, [Failure(lease, "not yet", charge=0, after=HOUR)], MAX_ATTEMPTS)

    assert row(UUID(lease.event_id)).wait == pytest.approx(3600, abs=5)


def test_an_attempt_is_charged_first_once_per_lease_and_kills_beyond_the_last(
    leased: Leased, connection: Connection, row: Row
) -> None:
    (lease,) = leased(1)
    id_ = UUID(lease.event_id)
    for attempts in range(MAX_ATTEMPTS):
        assert charge(connection, HANDLER, [lease], MAX_ATTEMPTS) == {id_: False}
        assert row(id_).attempts == attempts + 1

    assert charge(connection, HANDLER, [lease], MAX_ATTEMPTS) == {id_: True}
    assert charge(connection, HANDLER, [lease], MAX_ATTEMPTS) == {}
    assert (row(id_).attempts, row(id_).leased) == (MAX_ATTEMPTS + 1, False)
    assert "died" in row(id_).last_error


def test_each_setback_puts_off_four_times_as_long_at_no_attempt(
    leased: Leased, connection: Connection, row: Row
) -> None:
    (lease,) = leased(1)
    id_, waits = UUID(lease.event_id), []
    for setbacks in range(1, 9):
        set_on_all(connection, "leased = true, attempts = 1")
        assert defer(connection, HANDLER, [lease], "down", setback=True, refund=1) == setbacks
        waits.append(round(row(id_).wait))

    assert waits == [1, 4, 16, 64, 256, 1024, 3600, 3600]
    assert (row(id_).attempts, row(id_).setbacks, row(id_).died_at) == (0, 8, None)


def test_an_outage_for_all_counts_no_setback(
    leased: Leased, connection: Connection, row: Row
) -> None:
    (lease,) = leased(1)

    assert defer(connection, HANDLER, [lease], "down", setback=False) == 0

    assert (row(UUID(lease.event_id)).setbacks, row(UUID(lease.event_id)).attempts) == (0, 0)


def test_only_deliveries_whose_event_is_gone_are_forgotten(
    leased: Leased, connection: Connection, row: Row
) -> None:
    gone, kept = leased(2)
    delete = text("DELETE FROM insights.events WHERE id = :id")
    connection.execute(delete, {"id": UUID(gone.event_id)})

    forget_orphans(connection, HANDLER, [Lease(gone.event_id, gone.token - 1)])
    assert row(UUID(gone.event_id)).leased  # another worker has it
    forget_orphans(connection, HANDLER, [gone, kept])

    owed = connection.scalars(text("SELECT event_id FROM insights.deliveries")).all()
    assert owed == [UUID(kept.event_id)]
