"""The events are read in the order that counts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

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
from tests.factories import prediction_made, publish_now, training_event


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


def test_the_newest_choice_decides_who_opted_out(assembly: Assembly) -> None:
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
