"""Leases: handed out under a fencing token, extended and given back by their owner alone."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from models.deliveries.lease import Lease, extend, holds, lease, release
from models.handlers import circuit_breaker
from models.handlers.circuit_breaker import FAILURES_BEFORE_OPEN
from models.handlers.table import pause
from runtime.assembly import Assembly
from tests.models.deliveries.conftest import HANDLER, Leased, Row
from tests.pipeline import Pipeline

HOUR = timedelta(hours=1)
Due = Callable[[int], Sequence[UUID]]


def leased_ids(connection: Connection, room: int = 100) -> list[UUID]:
    """What one pass of a relay would lease."""
    batches = lease(connection, {HANDLER: room}, {HANDLER: HOUR})
    return [UUID(each.event_id) for batch in batches for each in batch.leases]


def test_the_oldest_are_leased_first_and_no_more_than_there_is_room_for(
    due: Due, assembly: Assembly, connection: Connection, row: Row
) -> None:
    first, second, third = due(3)
    aged = text("UPDATE insights.deliveries SET due_at = now() - :age WHERE event_id = :id")
    for id_, hours in ((first, 1), (second, 3), (third, 2)):
        connection.execute(aged, {"id": id_, "age": timedelta(hours=hours)})

    with assembly.engine.begin() as transaction:
        # Read in the order of the table: an index would bring the oldest first by itself.
        transaction.execute(text("SET LOCAL enable_indexscan = off"))
        transaction.execute(text("SET LOCAL enable_bitmapscan = off"))
        ids = leased_ids(transaction, room=2)

    assert set(ids) == {second, third}
    assert (row(second).leased, row(second).leases) == (True, 1)
    assert row(second).wait == pytest.approx(3600, abs=5)
    assert (row(first).leased, row(first).leases) == (False, 0)


def test_what_may_have_killed_its_process_is_leased_apart_from_the_rest(
    leased: Leased, due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    (killer,) = leased(1)
    pipeline.pass_time()
    others = due(2)

    batches = lease(connection, {HANDLER: 100}, {HANDLER: HOUR})

    by_kind = {batch.began_before: batch.leases for batch in batches}
    assert by_kind[True] == [Lease(killer.event_id, 2)]
    assert {each.event_id for each in by_kind[False]} == {id_.hex for id_ in others}


def test_nothing_is_leased_for_a_paused_handler(due: Due, connection: Connection) -> None:
    due(1)
    pause(connection, HANDLER)

    assert leased_ids(connection) == []


def test_an_open_circuit_lets_nothing_go_and_a_half_open_one_a_single_probe(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    due(5)
    for _ in range(FAILURES_BEFORE_OPEN):
        circuit_breaker.count_failure(connection, HANDLER)
    assert leased_ids(connection) == []
    pipeline.half_open_circuits()

    (batch,) = lease(connection, {HANDLER: 100}, {HANDLER: HOUR})

    assert (batch.probe, len(batch.leases)) == (True, 1)
    assert leased_ids(connection) == []  # until the probe's lease has ended


def test_only_the_holder_of_the_newest_lease_extends_it(
    leased: Leased, connection: Connection, row: Row
) -> None:
    (mine,) = leased(1)
    id_ = UUID(mine.event_id)

    assert extend(connection, HANDLER, [mine._replace(token=mine.token - 1)], HOUR) == set()
    assert row(id_).wait < 60
    assert extend(connection, HANDLER, [mine], HOUR) == {id_}
    assert row(id_).wait == pytest.approx(3600, abs=5)


def test_a_lease_holds_until_it_is_handed_out_again_or_given_back(
    leased: Leased, connection: Connection
) -> None:
    first, second = leased(2)
    assert holds(connection, HANDLER, first)
    assert not holds(connection, HANDLER, Lease(first.event_id, first.token - 1))
    assert not holds(connection, HANDLER, Lease(first.event_id, first.token + 1))
    assert not holds(connection, "another", first)

    release(connection, HANDLER, [first])

    assert not holds(connection, HANDLER, first)
    assert holds(connection, HANDLER, second)


def test_nobody_is_handed_what_holds_before_the_transaction_ends(
    leased: Leased, pipeline: Pipeline, connection: Connection, assembly: Assembly
) -> None:
    (held,) = leased(1)
    pipeline.pass_time()

    with assembly.engine.begin() as transaction:
        assert holds(transaction, HANDLER, held)
        assert leased_ids(connection) == []

    assert leased_ids(connection) == [UUID(held.event_id)]


def test_a_lease_that_is_given_back_makes_the_delivery_due_at_no_attempt(
    leased: Leased, connection: Connection, row: Row
) -> None:
    mine, other = leased(2)
    release(connection, HANDLER, [mine, other._replace(token=7)], refund=1)

    given_back, kept = row(UUID(mine.event_id)), row(UUID(other.event_id))
    assert (given_back.leased, given_back.attempts, given_back.wait <= 0) == (False, 0, True)
    assert (kept.leased, kept.wait > 0) == (True, True)


def test_giving_back_may_keep_in_mind_that_an_earlier_lease_had_no_outcome(
    leased: Leased, connection: Connection
) -> None:
    mine = leased(1)
    release(connection, HANDLER, mine, began_before=True)

    (batch,) = lease(connection, {HANDLER: 100}, {HANDLER: HOUR})

    assert batch.began_before
