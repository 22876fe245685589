"""The lease of a claimed delivery: who holds it, and for how long it is kept alive."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from models.batches import close, open_batch
from models.deliveries.claim import claim, finish
from models.deliveries.failures import Failure, record
from models.deliveries.lease import Lease, holds, renew
from models.deliveries.take import TakenDelivery
from runtime.assembly import Assembly
from tests.models.concurrency import meanwhile
from tests.models.deliveries.conftest import HANDLER, LEASE, Change, Claimed, Row
from tests.pipeline import Pipeline

HOUR = timedelta(hours=1)
ALMOST_OVER = "due_at = now() + interval '5 seconds'"


def note(
    connection: Connection,
    claimed: Sequence[TakenDelivery],
    process: UUID,
    longest: timedelta = HOUR,
) -> int:
    """Note that a process has these claims in hand."""
    ids = [each.id for each in claimed]
    return open_batch(connection, process, claimed[0].handler_id, ids, lease=LEASE, longest=longest)


def test_a_lease_holds_until_it_is_claimed_again_or_has_its_outcome(
    claimed: Claimed, connection: Connection
) -> None:
    first, second = claimed(2)
    assert holds(connection, HANDLER, first.lease)
    assert not holds(connection, HANDLER, Lease(first.id, first.token - 1))
    assert not holds(connection, HANDLER, Lease(first.id, first.token + 1))
    assert not holds(connection, "usage", first.lease)

    record(connection, HANDLER, [Failure(first.lease, "no")], max_attempts=9)

    assert not holds(connection, HANDLER, first.lease)
    assert holds(connection, HANDLER, second.lease)


def test_nobody_claims_what_holds_before_the_transaction_ends(
    claimed: Claimed, pipeline: Pipeline, connection: Connection, assembly: Assembly
) -> None:
    (held,) = claimed(1)
    pipeline.pass_time()

    with assembly.engine.begin() as transaction:
        assert holds(transaction, HANDLER, held.lease)
        assert claim(connection, HANDLER, 100, LEASE) == []

    assert [each.id for each in claim(connection, HANDLER, 100, LEASE)] == [held.id]


def test_a_process_keeps_alive_what_it_has_in_hand_and_nothing_else(
    claimed: Claimed, connection: Connection, change: Change, row: Row
) -> None:
    mine, others = claimed(1), claimed(1)
    process = uuid4()
    note(connection, mine, process)
    note(connection, others, uuid4())
    change(ALMOST_OVER)

    renew(connection, process)

    assert row(mine[0].id).wait == pytest.approx(LEASE.total_seconds(), abs=2)
    assert row(others[0].id).wait < 6


def test_a_lease_that_still_runs_for_long_costs_no_write(
    claimed: Claimed, connection: Connection, change: Change, row: Row
) -> None:
    (mine,) = claimed(1)
    process = uuid4()
    note(connection, [mine], process)
    change("due_at = now() + interval '25 seconds'")

    renew(connection, process)

    assert row(mine.id).wait < 26


@pytest.mark.parametrize("ended", ["the batch", "the longest run", "the lease"])
def test_what_has_ended_is_not_kept_alive(
    ended: str, claimed: Claimed, connection: Connection, change: Change, row: Row
) -> None:
    (mine,) = claimed(1)
    process = uuid4()
    longest = timedelta(0) if ended == "the longest run" else HOUR
    batch = note(connection, [mine], process, longest)
    if ended == "the batch":
        close(connection, process, batch, "done")
    change(ALMOST_OVER + (", leased = false" if ended == "the lease" else ""))

    renew(connection, process)

    assert row(mine.id).wait < 6


def test_work_is_finished_although_its_lease_is_just_being_renewed(
    claimed: Claimed,
    assembly: Assembly,
    connection: Connection,
    pipeline: Pipeline,
    change: Change,
) -> None:
    (mine,) = claimed(1)
    process = uuid4()
    note(connection, [mine], process)
    change(ALMOST_OVER)
    finished: list[set[UUID]] = []

    def finish_it() -> None:
        with assembly.sessions.begin() as session:
            finished.append(finish(session, HANDLER, [mine.lease]))

    with meanwhile(assembly, finish_it) as renewal:
        renew(renewal, process)

    assert finished == [{mine.id}]
    assert pipeline.owed() == []
