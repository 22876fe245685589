"""A transactional take: what is due, in which order, how much of it, and to whom."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from events import PredictionMade
from models.batches import close, open_batch
from models.deliveries.take import TakenDelivery, put_back, take
from models.handlers import circuit_breaker
from models.handlers.circuit_breaker import FAILURES_BEFORE_OPEN
from models.handlers.table import pause
from runtime.assembly import Assembly
from tests.models.deliveries.conftest import HANDLER, Change, Due, Row
from tests.pipeline import Pipeline

HOUR = timedelta(hours=1)
LATER = "due_at = now() - interval '1 minute'"
DELETE_EVENT = text("DELETE FROM insights.events WHERE id = :id")


def ids(taken: list[TakenDelivery]) -> list[UUID]:
    return [each.id for each in taken]


def in_hand(connection: Connection, *event_ids: UUID, handler_id: int) -> int:
    """Note that another process has these in hand; return the batch's id."""
    return open_batch(connection, uuid4(), handler_id, event_ids, lease=None, longest=HOUR)


def test_taking_deletes_the_deliveries_and_returns_their_events(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    published = due(3)

    taken = take(connection, HANDLER, 100)

    assert set(ids(taken)) == set(published)
    events = PredictionMade.restore([each.body for each in taken])
    assert [event.id for event in events] == ids(taken)
    assert pipeline.owed() == []
    assert take(connection, HANDLER, 100) == []


def test_what_is_due_at_once_is_taken_in_the_order_of_its_numbers(
    due: Due, connection: Connection
) -> None:
    first, second, third = due(1), due(1), due(1)
    connection.execute(
        text("UPDATE insights.deliveries SET attempts = 1 WHERE event_id = :id"), {"id": first[0]}
    )  # it is stored behind the others now

    assert set(ids(take(connection, HANDLER, 2))) == {*first, *second}
    assert ids(take(connection, HANDLER, 2)) == [*third]


def test_two_takers_never_get_the_same_and_neither_waits(
    due: Due, assembly: Assembly, connection: Connection
) -> None:
    published = due(5)

    with assembly.engine.begin() as one, assembly.engine.begin() as other:
        first, second = take(one, HANDLER, 3), take(other, HANDLER, 3)

    assert set(ids(first)) == set(published[:3])
    assert set(ids(second)) == set(published[3:])


def test_what_was_rolled_back_is_taken_by_the_next(
    due: Due, assembly: Assembly, connection: Connection
) -> None:
    published = due(2)

    with assembly.engine.connect() as one:
        take(one, HANDLER, 100)
        one.rollback()

    assert set(ids(take(connection, HANDLER, 100))) == set(published)


def test_of_what_was_put_off_half_a_batch_comes_before_what_is_due_at_once(
    due: Due, connection: Connection, change: Change
) -> None:
    published = due(10)
    change(LATER, *published[4:])
    not_yet = published[9]
    change("due_at = now() + interval '1 minute'", not_yet)

    taken = ids(take(connection, HANDLER, 6))
    rest = ids(take(connection, HANDLER, 6))

    assert len(set(taken) & set(published[4:9])) == 3
    assert len(set(taken) & set(published[:4])) == 3
    assert set(taken) | set(rest) == set(published) - {not_yet}


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_small_batch_still_takes_what_was_put_off(
    batch: int, due: Due, connection: Connection, change: Change
) -> None:
    later = due(4)[-1]
    change(LATER, later)

    assert later in ids(take(connection, HANDLER, batch))


@pytest.mark.parametrize(("setbacks", "company"), [(1, 62), (2, 8), (3, 1), (4, 1), (9, 1)])
def test_what_had_setbacks_goes_alone_in_ever_smaller_company(
    setbacks: int, company: int, due: Due, connection: Connection, change: Change
) -> None:
    published = due(100)
    troubled = published[:70]
    change(f"{LATER}, setbacks = {setbacks}", *troubled)

    taken = take(connection, HANDLER, 500)

    assert len(taken) == company
    assert set(ids(taken)) <= set(troubled)
    assert {each.setbacks for each in taken} == {setbacks}


def test_what_had_different_setbacks_is_not_taken_together(
    due: Due, connection: Connection, change: Change
) -> None:
    once, twice, failed = due(3)
    change("due_at = now() - interval '2 minutes', setbacks = 1", once)
    change("due_at = now() - interval '3 minutes', setbacks = 2", twice)
    change("due_at = now() - interval '1 minute', attempts = 1", failed)

    # The class whose first has been due for longest.
    assert [ids(take(connection, HANDLER, 500)) for _ in range(3)] == [[twice], [once], [failed]]


def test_a_calm_take_leaves_out_what_had_setbacks(
    due: Due, connection: Connection, change: Change
) -> None:
    setback, put_off, at_once = due(3)
    change(f"{LATER}, setbacks = 1", setback)
    change(LATER, put_off)

    assert set(ids(take(connection, HANDLER, 500, calm=True))) == {put_off, at_once}
    assert ids(take(connection, HANDLER, 500)) == [setback]


def test_what_stands_in_an_open_batch_is_nobody_elses(
    due: Due, connection: Connection, change: Change
) -> None:
    """Its process may have died a moment ago, and its row be there again."""
    published = due(4)
    change(LATER, *published[2:])
    handler_id = connection.scalar(text("SELECT DISTINCT handler FROM insights.deliveries"))
    batch = in_hand(connection, published[0], published[2], handler_id=handler_id)

    assert set(ids(take(connection, HANDLER, 100))) == {published[1], published[3]}
    assert take(connection, HANDLER, 100) == []
    process = connection.scalar(
        text("SELECT process FROM insights.batches WHERE id = :id"), {"id": batch}
    )
    close(connection, process, batch, "given back")
    assert set(ids(take(connection, HANDLER, 100))) == {published[0], published[2]}


def test_nothing_is_taken_while_the_handler_is_paused(due: Due, connection: Connection) -> None:
    due(1)
    pause(connection, HANDLER)

    assert take(connection, HANDLER, 100) == []


def test_an_open_circuit_gives_nothing_and_a_half_open_one_a_single_delivery(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    due(3)
    for _ in range(FAILURES_BEFORE_OPEN):
        circuit_breaker.count_failure(connection, HANDLER)
    assert take(connection, HANDLER, 100) == []

    pipeline.half_open_circuits()

    (taken,) = take(connection, HANDLER, 100)
    assert taken.circuit_is_troubled


@pytest.mark.parametrize("failures", [0, 1])
def test_what_is_taken_says_whether_the_provider_failed_lately(
    failures: int, due: Due, connection: Connection
) -> None:
    due(1)
    for _ in range(failures):
        circuit_breaker.count_failure(connection, HANDLER)

    (taken,) = take(connection, HANDLER, 100)

    assert taken.circuit_is_troubled is (failures > 0)


def test_dead_waiting_and_other_handlers_deliveries_are_left(
    due: Due, connection: Connection, change: Change
) -> None:
    dead, waiting = due(2)
    change("died_at = now()", dead)
    change("waits_for = '{1}'", waiting)

    assert take(connection, HANDLER, 100) == []
    assert take(connection, "usage", 100) == []


def test_what_is_put_back_is_owed_as_it_was(
    due: Due, connection: Connection, change: Change, row: Row, assembly: Assembly
) -> None:
    later, at_once = due(2)
    change(f"{LATER}, attempts = 4, last_error = 'It \"failed\", {{once}}.'", later)
    before = [row(each) for each in (later, at_once)]

    with assembly.engine.begin() as transaction:
        put_back(transaction, take(transaction, HANDLER, 100))

    after = [row(each) for each in (later, at_once)]
    kept = [name for name in before[0]._fields if name not in {"wait", "leased"}]
    for was, is_ in zip(before, after, strict=True):
        assert {name: getattr(is_, name) for name in kept} == {
            name: getattr(was, name) for name in kept
        }
    assert {each.leased for each in after} == {True}  # for the failure that is written next


def test_a_delivery_whose_event_is_gone_is_forgotten_by_being_taken(
    due: Due, connection: Connection, pipeline: Pipeline
) -> None:
    gone, kept = due(2)
    connection.execute(DELETE_EVENT, {"id": gone})

    types = {each.id: each.type for each in take(connection, HANDLER, 100)}

    assert types == {gone: None, kept: "prediction.made"}
    assert pipeline.owed() == []
