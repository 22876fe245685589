"""An external claim: one lease write under a new token, kept until the work is done."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from models.batches import open_batch
from models.deliveries.claim import claim, finish
from models.deliveries.lease import Lease
from models.deliveries.take import TakenDelivery
from models.handlers import circuit_breaker
from models.handlers.circuit_breaker import FAILURES_BEFORE_OPEN
from models.handlers.table import pause
from models.providers import switch_off
from runtime.assembly import Assembly
from tests.models.deliveries.conftest import HANDLER, LEASE, Change, Claimed, Due, Row
from tests.pipeline import Pipeline

DELETE_EVENT = text("DELETE FROM insights.events WHERE id = :id")
LOCK_HANDLER = text("SELECT FROM insights.handlers WHERE name = :name FOR UPDATE")
AT_ONCE = "SET LOCAL lock_timeout = '100ms'"


def half_open(connection: Connection, pipeline: Pipeline) -> None:
    for _ in range(FAILURES_BEFORE_OPEN):
        circuit_breaker.count_failure(connection, HANDLER)
    pipeline.half_open_circuits()


def test_a_claim_is_a_lease_under_a_new_token(due: Due, connection: Connection, row: Row) -> None:
    (id_,) = due(1)

    (claimed,) = claim(connection, HANDLER, 100, LEASE)

    assert (claimed.id, claimed.token, claimed.type) == (id_, 1, "prediction.made")
    assert (row(id_).leased, row(id_).leases) == (True, 1)
    assert row(id_).wait == pytest.approx(LEASE.total_seconds(), abs=5)
    assert claim(connection, HANDLER, 100, LEASE) == []


def test_a_lease_that_ran_out_is_claimed_under_the_next_token(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    due(1)
    (old,) = claim(connection, HANDLER, 100, LEASE)
    pipeline.pass_time()

    (new,) = claim(connection, HANDLER, 100, LEASE)

    assert new.token == old.token + 1
    assert finish(connection, HANDLER, [old.lease]) == set()
    assert finish(connection, HANDLER, [new.lease]) == {old.id}
    assert pipeline.owed() == []


def test_two_claims_at_once_never_get_the_same(due: Due, assembly: Assembly) -> None:
    published = due(5)

    with assembly.engine.begin() as one, assembly.engine.begin() as other:
        first = claim(one, HANDLER, 3, LEASE)
        second = claim(other, HANDLER, 3, LEASE)

    assert {each.id for each in first} == set(published[:3])
    assert {each.id for each in second} == set(published[3:])


def test_a_claim_and_its_note_wait_for_no_disk(due: Due, assembly: Assembly) -> None:
    """A crash of PostgreSQL forgets both: see tests/workers/test_crashes.py."""
    due(1)
    with assembly.engine.begin() as connection:
        connection.execute(text("SET LOCAL synchronous_commit = 'on'"))
        (claimed,) = claim(connection, HANDLER, 100, LEASE)
        open_batch(
            connection, uuid4(), claimed.handler_id, [claimed.id], lease=LEASE, longest=LEASE
        )

        assert connection.scalar(text("SHOW synchronous_commit")) == "off"


@pytest.mark.parametrize(("setbacks", "company"), [(1, 62), (2, 8), (3, 1), (9, 1)])
def test_what_had_setbacks_is_claimed_alone_in_ever_smaller_company(
    setbacks: int, company: int, due: Due, connection: Connection, change: Change
) -> None:
    published = due(80)
    change(f"due_at = now(), setbacks = {setbacks}", *published[:70])

    claimed = claim(connection, HANDLER, 500, LEASE)

    assert len(claimed) == company
    assert {each.setbacks for each in claimed} == {setbacks}
    calm = claim(connection, HANDLER, 500, LEASE, calm=True)
    assert {each.id for each in calm} == set(published[70:])


def test_of_what_was_put_off_half_a_batch_is_claimed(
    due: Due, connection: Connection, change: Change
) -> None:
    published = due(8)
    change("due_at = now()", *published[4:])

    claimed = {each.id for each in claim(connection, HANDLER, 4, LEASE)}

    assert (len(claimed & set(published[:4])), len(claimed & set(published[4:]))) == (2, 2)


def test_what_stands_in_an_open_batch_is_not_claimed(due: Due, connection: Connection) -> None:
    held, free = due(2)
    handler_id = connection.scalar(text("SELECT DISTINCT handler FROM insights.deliveries")) or 0
    open_batch(connection, uuid4(), handler_id, [held], lease=None, longest=LEASE)

    assert [each.id for each in claim(connection, HANDLER, 100, LEASE)] == [free]


def test_a_delivery_whose_event_is_gone_is_forgotten(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    gone, kept = due(2)
    connection.execute(DELETE_EVENT, {"id": gone})

    claimed = claim(connection, HANDLER, 100, LEASE)

    assert [each.id for each in claimed] == [kept]
    assert [each.event_id for each in pipeline.owed()] == [kept]


def test_nothing_is_claimed_while_the_handler_is_paused_or_its_circuit_open(
    due: Due, connection: Connection
) -> None:
    due(1)
    pause(connection, HANDLER)
    assert claim(connection, HANDLER, 100, LEASE) == []
    connection.execute(text("UPDATE insights.handlers SET paused = false"))

    for _ in range(FAILURES_BEFORE_OPEN):
        circuit_breaker.count_failure(connection, HANDLER)

    assert claim(connection, HANDLER, 100, LEASE) == []


def test_nothing_is_claimed_while_the_provider_is_off(due: Due, connection: Connection) -> None:
    due(1)
    connection.execute(
        text("UPDATE insights.handlers SET provider = 'loops' WHERE name = :name"),
        {"name": HANDLER},
    )
    switch_off(connection, "loops")

    assert claim(connection, HANDLER, 100, LEASE) == []


def test_a_half_open_circuit_gives_one_probe_until_its_lease_has_ended(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    due(5)
    half_open(connection, pipeline)

    (probe,) = claim(connection, HANDLER, 100, LEASE)

    assert (probe.is_probe, probe.circuit_is_troubled) == (True, True)
    assert claim(connection, HANDLER, 100, LEASE) == []
    pipeline.half_open_circuits()  # the lease of the probe has ended
    (second,) = claim(connection, HANDLER, 100, LEASE)
    assert second.is_probe


def test_of_many_claims_at_once_one_gets_the_probe(
    due: Due, connection: Connection, pipeline: Pipeline, assembly: Assembly
) -> None:
    due(20)
    half_open(connection, pipeline)
    together = threading.Barrier(4)

    def claim_one(_number: int) -> list[TakenDelivery]:
        with assembly.engine.begin() as transaction:
            together.wait(10)
            return claim(transaction, HANDLER, 100, LEASE)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(claim_one, range(4)))

    assert sorted(map(len, found)) == [0, 0, 0, 1]


def test_a_claim_does_not_wait_for_a_probe_that_another_is_just_claiming(
    due: Due, connection: Connection, pipeline: Pipeline, assembly: Assembly
) -> None:
    due(2)
    half_open(connection, pipeline)

    with assembly.engine.begin() as one, assembly.engine.begin() as other:
        assert len(claim(one, HANDLER, 100, LEASE)) == 1
        other.execute(text(AT_ONCE))
        assert claim(other, HANDLER, 100, LEASE) == []


def test_a_probe_that_found_nothing_due_leaves_the_circuit_half_open(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    due(0)
    half_open(connection, pipeline)
    assert claim(connection, HANDLER, 100, LEASE) == []
    due(1)

    assert len(claim(connection, HANDLER, 100, LEASE)) == 1


def test_neither_a_pause_nor_a_claim_waits_for_the_other(
    due: Due, assembly: Assembly, connection: Connection
) -> None:
    due(2)

    with assembly.engine.begin() as worker, assembly.engine.begin() as operator:
        assert len(claim(worker, HANDLER, 1, LEASE)) == 1
        operator.execute(text(AT_ONCE))
        pause(operator, HANDLER)
        worker.execute(text(AT_ONCE))
        assert len(claim(worker, HANDLER, 1, LEASE)) == 1  # the pause is not committed yet

    assert claim(connection, HANDLER, 1, LEASE) == []


def test_only_what_is_still_held_is_finished(claimed: Claimed, connection: Connection) -> None:
    mine, other, given_back = claimed(3)
    connection.execute(
        text("UPDATE insights.deliveries SET leased = false WHERE event_id = :id"),
        {"id": given_back.id},
    )
    old = Lease(other.id, other.token - 1)

    finished: set[UUID] = finish(connection, HANDLER, [mine.lease, old, given_back.lease])

    assert finished == {mine.id}
    assert finish(connection, "usage", [other.lease]) == set()
    assert finish(connection, HANDLER, [other.lease]) == {other.id}
