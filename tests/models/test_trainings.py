"""The first final state of a training stands, by whatever way and however much at once."""

from uuid import UUID

import pytest
from sqlalchemy import text

from events import (
    Event,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingRequested,
    TrainingStarted,
    publish,
    uuid7,
)
from models.trainings import FinalEvent, final_status, too_late
from runtime.assembly import Assembly
from tests.factories import TRAINING_USER, publish_now, training_event
from tests.models.concurrency import waiting


def status(assembly: Assembly, user_id: UUID = TRAINING_USER) -> str | None:
    with assembly.sessions() as session:
        return final_status(session, "t-1", user_id, lock=False)


def final(event: Event) -> FinalEvent:
    return FinalEvent(event.id, "t-1", event.user_id or uuid7())


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (TrainingCompleted, "completed"),
        (TrainingFailed, "failed"),
        (TrainingCancelled, "cancelled"),
    ],
)
def test_the_end_that_is_recorded_first_stands(
    first: type[Event], expected: str, assembly: Assembly
) -> None:
    publish_now(assembly, training_event(TrainingRequested, 0), training_event(TrainingStarted, 1))
    assert status(assembly) is None

    ends = [training_event(first, 9)]
    ends += [
        training_event(each, 5) for each in (TrainingCancelled, TrainingFailed, TrainingCompleted)
    ]
    for end in ends:
        publish_now(assembly, end)

    assert status(assembly) == expected
    with assembly.sessions() as session:
        assert too_late(session, map(final, ends)) == {end.id for end in ends[1:]}


def test_of_ends_in_one_statement_the_earlier_stands(assembly: Assembly) -> None:
    late, early = training_event(TrainingCompleted, 9), training_event(TrainingCancelled, 5)
    publish_now(assembly, late, early)

    assert status(assembly) == "cancelled"


def test_each_user_ends_their_own_training_alone(assembly: Assembly) -> None:
    publish_now(assembly, training_event(TrainingCancelled, 5, uuid7()))

    assert status(assembly) is None


def test_plain_sql_is_covered_and_what_fits_no_type_is_left_alone(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO insights.events (id, type, source, user_id, data) VALUES
                (gen_random_uuid(), 'training.cancelled', 'sql', :user, '{"training_id": "t-1"}'),
                (gen_random_uuid(), 'training.cancelled', 'sql', :user, '{}'),
                (gen_random_uuid(), 'training.cancelled', 'sql', :user, '{"training_id": null}'),
                (gen_random_uuid(), 'training.cancelled', 'sql', NULL, '{"training_id": "t-1"}'),
                (gen_random_uuid(), 'training.requested', 'sql', :user,
                 jsonb_build_object('training_id', repeat('x', 10000), 'dataset_id', 7))
            """),
            {"user": TRAINING_USER},
        )

    assert status(assembly) == "cancelled"


@pytest.mark.parametrize("commits", [True, False])
def test_of_two_ends_at_once_the_second_waits_for_the_first(
    commits: bool, assembly: Assembly
) -> None:
    publish_now(assembly, training_event(TrainingRequested, 0))
    with assembly.sessions() as first:
        publish(first, training_event(TrainingCancelled, 5))
        completed = training_event(TrainingCompleted, 6)
        with waiting(assembly, lambda: publish_now(assembly, completed)) as completion:
            if commits:
                first.commit()
            else:
                first.rollback()
            completion.result(timeout=10)

    assert status(assembly) == ("cancelled" if commits else "completed")


def test_a_locked_training_cannot_be_ended_by_others(assembly: Assembly) -> None:
    publish_now(assembly, training_event(TrainingRequested, 0))

    with assembly.sessions() as session:
        assert final_status(session, "t-1", TRAINING_USER, lock=True) is None
        cancelled = training_event(TrainingCancelled, 5)
        with waiting(assembly, lambda: publish_now(assembly, cancelled)) as cancellation:
            publish(session, training_event(TrainingCompleted, 6))
            session.commit()
            cancellation.result(timeout=10)

    assert status(assembly) == "completed"
