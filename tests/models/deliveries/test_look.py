"""A look at what is due: what could be taken now, counted up to a bound."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text

from models.batches import open_batch
from models.deliveries.look import Due as Found
from models.deliveries.look import look
from models.deliveries.take import take
from models.handlers import circuit_breaker
from models.handlers.circuit_breaker import FAILURES_BEFORE_OPEN
from models.handlers.table import pause
from models.providers import switch_off
from runtime.assembly import Assembly
from tests.models.deliveries.conftest import HANDLER, Change, Due, Row
from tests.pipeline import Pipeline

LATER = "due_at = now() - interval '1 minute'"
HOUR = timedelta(hours=1)


def look_at(connection: Connection, bound: int = 100) -> Found:
    (found,) = look(connection, {HANDLER: bound})
    return found


def test_it_counts_what_is_due_at_once_and_what_was_put_off_until_now(
    due: Due, connection: Connection, change: Change, row: Row
) -> None:
    published = due(6)
    change(LATER, published[3])
    change(f"{LATER}, setbacks = 3", published[4])
    change("due_at = now() + interval '1 minute'", published[5])

    found = look_at(connection)

    assert (found.at_once, found.later, found.in_hand, found.free) == (3, 2, 0, 5)
    assert (found.first, found.last) == (row(published[0]).seq, row(published[2]).seq)
    assert {found.later_first, found.later_last} == {
        row(published[3]).due_at, row(published[4]).due_at
    }  # fmt: skip


def test_counts_stop_at_the_bound_of_each_handler(
    due: Due, connection: Connection, row: Row
) -> None:
    published = due(10)

    found = look_at(connection, bound=4)

    assert (found.at_once, found.free) == (4, 4)
    assert found.last == row(published[3]).seq


def test_what_was_put_off_is_counted_up_to_the_bound_too(
    due: Due, connection: Connection, change: Change
) -> None:
    due(10)
    change(LATER)

    assert look_at(connection, bound=4).later == 4


def test_what_open_transactions_have_in_hand_is_not_free(
    due: Due, assembly: Assembly, connection: Connection
) -> None:
    due(5)
    with assembly.engine.connect() as worker:
        taken = take(worker, HANDLER, 3)
        ids = [each.id for each in taken]
        open_batch(connection, uuid4(), taken[0].handler_id, ids, lease=None, longest=HOUR)

        found = look_at(connection)

    assert (found.at_once, found.in_hand, found.free) == (5, 3, 2)


def test_what_is_due_behind_many_that_are_in_hand_is_found(
    due: Due, assembly: Assembly, connection: Connection
) -> None:
    """What is in hand stands at the head of the index until it commits, and fills no bound."""
    due(10)
    with assembly.engine.connect() as worker:
        taken = take(worker, HANDLER, 6)
        ids = [each.id for each in taken]
        open_batch(connection, uuid4(), taken[0].handler_id, ids, lease=None, longest=HOUR)

        assert look_at(connection, bound=3).free == 3


def test_what_is_claimed_is_not_counted_twice(due: Due, connection: Connection) -> None:
    """It is due no more, so its open batch takes nothing off."""
    (held, *_) = due(3)
    handler_id = connection.scalar(text("SELECT DISTINCT handler FROM insights.deliveries")) or 0
    connection.execute(
        text("UPDATE insights.deliveries SET due_at = now() + interval '1 minute', leased = true "
             "WHERE event_id = :id"),
        {"id": held},
    )  # fmt: skip
    open_batch(connection, uuid4(), handler_id, [held], lease=HOUR, longest=HOUR)

    assert look_at(connection).free == 2


@pytest.mark.parametrize("state", ["dead", "waiting", "nothing"])
def test_a_handler_of_which_nothing_is_due_is_absent(
    state: str, due: Due, connection: Connection, change: Change
) -> None:
    due(0 if state == "nothing" else 2)
    change("died_at = now()" if state == "dead" else "waits_for = '{1}'")

    assert look(connection, {HANDLER: 100}) == []


def test_a_handler_that_is_paused_is_left_out(due: Due, connection: Connection) -> None:
    due(1)
    pause(connection, HANDLER)

    assert look(connection, {HANDLER: 100}) == []


def test_a_handler_whose_provider_is_off_is_left_out(due: Due, connection: Connection) -> None:
    due(1)
    of_loops = text("UPDATE insights.handlers SET provider = 'loops' WHERE name = :name")
    connection.execute(of_loops, {"name": HANDLER})
    switch_off(connection, "loops")

    assert look(connection, {HANDLER: 100}) == []


def test_an_open_circuit_is_left_out_and_a_half_open_one_has_one_free(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    due(3)
    for _ in range(FAILURES_BEFORE_OPEN):
        circuit_breaker.count_failure(connection, HANDLER)
    assert look(connection, {HANDLER: 100}) == []

    pipeline.half_open_circuits()

    found = look_at(connection)
    assert (found.is_half_open, found.free) == (True, 1)


def test_only_the_handlers_that_were_asked_for_are_looked_at(
    due: Due, connection: Connection
) -> None:
    due(1)

    assert look(connection, {"usage": 100, "no_such_handler": 100}) == []
    assert look(connection, {}) == []
