"""A replay does what its count promised: of dead letters, and of events of the past."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from models.deliveries import replay
from models.deliveries.replay import Selection
from models.server import database_time
from tests.models.deliveries.conftest import HANDLER, Row
from tests.pipeline import Pipeline

Due = Callable[[int], Sequence[UUID]]


def let_all_die(connection: Connection) -> None:
    connection.execute(
        text("UPDATE insights.deliveries SET died_at = now(), attempts = 9, setbacks = 2")
    )


def test_as_many_dead_letters_are_due_again_as_were_counted(
    due: Due, connection: Connection, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    first, *_ = due(5)
    let_all_die(connection)
    assert replay.count_dead(connection, Selection()) == {HANDLER: 5}

    began = database_time(connection)
    revived = [replay.revive(connection, Selection(), began) for _ in range(4)]

    assert revived == [2, 2, 1, 0]
    assert replay.count_dead(connection, Selection()) == {}
    again = row(first)
    assert (again.attempts, again.setbacks, again.leased, again.wait <= 0) == (0, 0, False, True)


def test_what_died_after_the_replay_began_stays_dead(due: Due, connection: Connection) -> None:
    due(1)
    began = database_time(connection)
    let_all_die(connection)

    assert replay.revive(connection, Selection(), began) == 0


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        (Selection(HANDLER), 3),
        (Selection("usage"), 0),
        (Selection(type="prediction.made"), 3),
        (Selection(type="user.deleted"), 0),
    ],
)
def test_dead_letters_are_selected(
    selection: Selection, count: int, due: Due, connection: Connection
) -> None:
    due(3)
    let_all_die(connection)

    assert sum(replay.count_dead(connection, selection).values()) == count
    assert replay.revive(connection, selection, database_time(connection)) == count


def test_dead_letters_are_selected_by_event_and_time(due: Due, connection: Connection) -> None:
    first, second = due(2)
    let_all_die(connection)
    aged = text("UPDATE insights.events SET recorded_at = now() - interval '1 day' WHERE id = :id")
    connection.execute(aged, {"id": first})
    middle = database_time(connection) - timedelta(hours=1)

    assert replay.count_dead(connection, Selection(event=second)) == {HANDLER: 1}
    assert replay.count_dead(connection, Selection(since=middle)) == {HANDLER: 1}
    assert replay.count_dead(connection, Selection(until=middle)) == {HANDLER: 1}


def test_a_handler_owes_its_history_once_in_steps_that_can_be_interrupted(
    due: Due, connection: Connection, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    ids = sorted(due(5))
    connection.execute(
        text("DELETE FROM insights.deliveries WHERE event_id <> :id"), {"id": ids[1]}
    )
    selection = Selection(HANDLER)
    assert replay.count_history(connection, selection) == 4

    steps, last = [], None
    while (step := replay.owe_history(connection, selection, last)).last is not None:
        steps.append(step)
        last = step.last

    assert [step.owed for step in steps] == [1, 2, 1]  # the second event was owed already
    assert [step.last for step in steps] == [ids[1], ids[3], ids[4]]
    assert [row.event_id for row in pipeline.owed()] == ids
    assert replay.count_history(connection, selection) == 0
