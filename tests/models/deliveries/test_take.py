"""A worker takes or claims what it was sent, once, and finishes it under its token."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from events import PredictionMade
from models.deliveries.lease import extend
from models.deliveries.take import claim, finish, put_back, take
from models.handlers import circuit_breaker
from models.handlers.circuit_breaker import FAILURES_BEFORE_OPEN
from models.handlers.table import pause
from runtime.assembly import Assembly
from tests.fake_handlers import FakeEffect, external_handler
from tests.models.concurrency import meanwhile
from tests.models.deliveries.conftest import HANDLER, Leased, Row
from tests.pipeline import Pipeline

LEASE = external_handler(FakeEffect()).lease


def test_taking_deletes_the_deliveries_and_returns_their_events(
    leased: Leased, connection: Connection, pipeline: Pipeline
) -> None:
    leases = leased(3)

    taken = take(connection, HANDLER, leases)

    assert {each.lease for each in taken} == set(leases)
    events = PredictionMade.restore([each.body for each in taken])
    assert [event.id for event in events] == [each.id for each in taken]
    assert pipeline.owed() == []
    assert take(connection, HANDLER, leases) == []


def test_only_the_newest_lease_is_taken_or_claimed(leased: Leased, connection: Connection) -> None:
    old = [lease._replace(token=lease.token - 1) for lease in leased(1)]

    assert take(connection, HANDLER, old) == []
    assert claim(connection, HANDLER, old, LEASE, probe=False) == []


def test_nothing_is_taken_or_claimed_while_the_handler_is_paused(
    leased: Leased, connection: Connection
) -> None:
    leases = leased(1)
    pause(connection, HANDLER)

    assert take(connection, HANDLER, leases) == []
    assert claim(connection, HANDLER, leases, LEASE, probe=False) == []


def test_claiming_sets_a_new_token_so_that_a_duplicate_message_finds_nothing(
    leased: Leased, connection: Connection
) -> None:
    leases = leased(2)

    claimed = claim(connection, HANDLER, leases, LEASE, probe=False)

    assert {each.token for each in claimed} == {leases[0].token + 1}
    assert claim(connection, HANDLER, leases, LEASE, probe=False) == []
    assert finish(connection, HANDLER, leases) == set()
    mine = [each.lease for each in claimed]
    assert finish(connection, HANDLER, mine) == {each.id for each in claimed}


def test_an_open_circuit_lets_only_the_probe_be_claimed(
    leased: Leased, connection: Connection
) -> None:
    leases = leased(1)
    for _ in range(FAILURES_BEFORE_OPEN):
        circuit_breaker.count_failure(connection, HANDLER)

    assert claim(connection, HANDLER, leases, LEASE, probe=False) == []
    (claimed,) = claim(connection, HANDLER, leases, LEASE, probe=True)
    assert claimed.circuit_is_troubled


@pytest.mark.parametrize("failures", [0, 1])
def test_what_is_taken_says_whether_the_provider_failed_lately(
    failures: int, leased: Leased, connection: Connection
) -> None:
    leases = leased(1)
    for _ in range(failures):
        circuit_breaker.count_failure(connection, HANDLER)

    (taken,) = take(connection, HANDLER, leases)

    assert taken.circuit_is_troubled is (failures > 0)


def test_what_was_taken_and_put_back_is_owed_under_the_same_lease(
    leased: Leased, connection: Connection, row: Row
) -> None:
    leases = leased(2)
    connection.execute(text("UPDATE insights.deliveries SET attempts = 4"))
    first, second = take(connection, HANDLER, leases)

    put_back(connection, HANDLER, [second])

    assert (row(second.id).attempts, row(second.id).leased) == (4, True)
    (again,) = take(connection, HANDLER, leases)
    assert again == second
    assert first.id != second.id


def test_work_is_finished_although_its_lease_is_just_being_extended(
    leased: Leased, assembly: Assembly, connection: Connection, pipeline: Pipeline
) -> None:
    claimed = claim(connection, HANDLER, leased(1), LEASE, probe=False)
    mine = [each.lease for each in claimed]
    finished: list[set[UUID]] = []

    def finish_it() -> None:
        with assembly.sessions.begin() as session:
            finished.append(finish(session, HANDLER, mine))

    with meanwhile(assembly, finish_it) as renewal:
        extend(renewal, HANDLER, mine, LEASE)

    assert finished == [{claimed[0].id}]
    assert pipeline.owed() == []
