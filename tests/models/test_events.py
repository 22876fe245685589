"""The events: pruned when old and owed by no handler, and read in the order that counts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from events import (
    AnalyticsChoiceMade,
    Event,
    TrainingCompleted,
    TrainingProgressed,
    TrainingStarted,
    UserLoggedIn,
    uuid7,
)
from models import events
from runtime.assembly import Assembly
from tests.factories import prediction_made, predictions_made, publish_now, training_event

AGE = timedelta(days=90)


def make_old(connection: Connection, *old: Event) -> None:
    connection.execute(
        text(
            "UPDATE insights.events SET recorded_at = now() - interval '91 days' WHERE id = ANY(:i)"
        ),
        {"i": [event.id for event in old]},
    )


def owed_by_nobody(connection: Connection, *done: Event) -> None:
    query = text("DELETE FROM insights.deliveries WHERE event_id = ANY(:ids)")
    connection.execute(query, {"ids": [event.id for event in done]})


def test_as_many_events_are_pruned_as_were_counted_and_no_others(
    assembly: Assembly, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PRUNED_AT_ONCE", 2)
    *prunable, owed, young = predictions_made(7)
    kept = AnalyticsChoiceMade(user_id=uuid7(), opted_out=True)
    publish_now(assembly, *prunable, owed, young, kept)
    make_old(connection, *prunable, owed, kept)
    owed_by_nobody(connection, *prunable, young, kept)

    counted = events.count_prunable(connection, AGE)
    with assembly.sessions.begin() as session:
        pruned = [events.prune(session, AGE) for _ in range(4)]

    assert counted == sum(pruned) == len(prunable)
    assert pruned == [2, 2, 1, 0]
    left = connection.scalars(text("SELECT id FROM insights.events")).all()
    assert set(left) == {owed.id, young.id, kept.id}


def test_what_only_an_unknown_handler_owes_is_pruned(
    assembly: Assembly, connection: Connection
) -> None:
    (event,) = predictions_made()
    publish_now(assembly, event)
    make_old(connection, event)
    connection.execute(text("DELETE FROM insights.deliveries WHERE handler <> 'usage'"))
    assert events.count_prunable(connection, AGE) == 0

    connection.execute(text("UPDATE insights.deliveries SET handler = 'renamed'"))

    assert events.count_prunable(connection, AGE) == 1


def test_of_a_training_its_end_comes_first_and_then_the_newest(assembly: Assembly) -> None:
    started = training_event(TrainingStarted, 0)
    completed = training_event(TrainingCompleted, 5)
    late = training_event(TrainingProgressed, 9)
    other = training_event(TrainingStarted, 1, training_id="t-2")
    publish_now(assembly, started, completed, late, other, prediction_made(uuid7()))
    types = [TrainingStarted.type, TrainingProgressed.type, TrainingCompleted.type]

    with assembly.sessions() as session:
        all_types = events.events_of_training(session, "t-1", types, [TrainingCompleted.type])
        some_types = events.events_of_training(session, "t-1", types[:2], [])

    assert [each.id for each in all_types] == [completed.id, late.id, started.id]
    assert [each.id for each in some_types] == [late.id, started.id]
    assert TrainingCompleted.restore([all_types[0].body]) == [
        completed.model_copy(update={"correlation_id": completed.id})
    ]


def test_the_newest_choice_decides_who_opted_out(
    assembly: Assembly, connection: Connection
) -> None:
    now = datetime.now(UTC)
    out, back_in, ahead, none = (uuid7() for _ in range(4))

    def choice(user: UUID, opted_out: bool, hours: int) -> Event:
        at = now + timedelta(hours=hours)
        return AnalyticsChoiceMade(user_id=user, opted_out=opted_out, occurred_at=at)

    publish_now(assembly, choice(out, True, -1), choice(out, False, -2))
    publish_now(assembly, choice(back_in, True, -2), choice(back_in, False, -1))
    # A clock that runs ahead makes a choice no newer than its recording.
    publish_now(assembly, choice(ahead, False, 5))
    publish_now(assembly, choice(ahead, True, 1))

    with assembly.sessions() as session:
        assert events.opted_out(session, [out, back_in, ahead, none]) == {out, ahead}


def test_events_are_found_by_id_and_those_that_are_gone_are_left_out(assembly: Assembly) -> None:
    event = UserLoggedIn(user_id=uuid7(), method="password", source="app")
    publish_now(assembly, event)

    with assembly.sessions() as session:
        (stored,) = events.read(session, [event.id, uuid7()])
        found = events.find(session, event.id)
        assert events.find(session, uuid7()) is None

    assert (stored.id, stored.type) == (event.id, "user.logged_in")
    assert UserLoggedIn.restore([stored.body])[0].data == event.data
    assert found is not None
    assert (found.data, found.correlation_id) == ({"method": "password"}, event.id)
