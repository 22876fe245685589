"""A sweep ends waiting that nobody else would end: for who is off, retired, or owes nothing."""

import pytest
from sqlalchemy import Connection, text

from models import subscriptions
from models.deliveries.dependencies import Swept, sweep
from models.deliveries.forget import forget
from models.providers import switch_off
from runtime.assembly import Assembly
from tests.models.deliveries.ordered_handlers import (
    FIRST,
    SECOND,
    Publish,
    claim_last,
    finish,
    last_of,
    waits_for,
)

WAIT_AGAIN = text("""
    UPDATE insights.deliveries
    SET waits_for = ARRAY(SELECT h.id FROM insights.handlers h WHERE h.name = 'first')
    WHERE event_id = :id AND handler IN (SELECT h.id FROM insights.handlers h WHERE h.name = 'last')
""")


def test_a_sweep_ends_waiting_for_a_handler_that_is_off(
    publish: Publish, connection: Connection
) -> None:
    event = publish()
    switch_off(connection, "loops")

    assert sweep(connection).released == 1

    assert waits_for(connection, event) == [SECOND]
    finish(connection, SECOND, event)
    assert claim_last(connection) == [event]


@pytest.mark.parametrize("forgets", [True, False])
def test_a_sweep_ends_waiting_for_a_handler_that_is_retired_from_the_type(
    forgets: bool, publish: Publish, connection: Connection
) -> None:
    """What it still owes is kept for workers that have it; there may be none."""
    event = publish()
    finish(connection, SECOND, event)
    subscriptions.subscribe(connection, [("user.deleted", FIRST)], {})
    subscriptions.unsubscribe(connection, FIRST, "prediction.made")
    if forgets:
        forget(connection, FIRST)

    sweep(connection)

    assert claim_last(connection) == [event]


def test_a_sweep_ends_waiting_for_who_owes_nothing_and_no_other(
    publish: Publish, connection: Connection
) -> None:
    event, waiting = publish(), publish()
    finish(connection, FIRST, event)
    finish(connection, SECOND, event)
    connection.execute(WAIT_AGAIN, {"id": event})
    number = last_of(connection, event).seq

    swept = sweep(connection)

    assert swept.released == 1
    assert last_of(connection, event).seq > number
    assert claim_last(connection) == [event]
    assert waits_for(connection, waiting) == [FIRST, SECOND]


def test_a_sweep_goes_on_where_it_ended(
    publish: Publish, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.deliveries.dependencies.SWEPT_AT_ONCE", 2)
    events = [publish() for _ in range(3)]
    connection.execute(text("DELETE FROM insights.deliveries WHERE waits_for IS NULL"))

    first = sweep(connection)
    second = sweep(connection, first.last or 0)

    assert (first.released, second.released) == (2, 1)
    assert sweep(connection, second.last or 0) == Swept(0, None)
    assert sorted(claim_last(connection)) == sorted(events)


def test_nobody_waits_for_a_sweep(
    publish: Publish, connection: Connection, assembly: Assembly
) -> None:
    event = publish()
    with assembly.engine.begin() as worker, assembly.engine.begin() as upkeep:
        finish(worker, FIRST, event)
        upkeep.execute(text("SET LOCAL lock_timeout = '100ms'"))
        assert sweep(upkeep).released == 0

    assert waits_for(connection, event) == [SECOND]


def test_a_sweep_writes_nothing_of_what_waits_rightly(
    publish: Publish, connection: Connection
) -> None:
    publish()

    assert sweep(connection).released == 0
