"""What Redis and PostHog keep of a deleted user is erased, once, whatever happens meanwhile."""

from uuid import UUID

import pytest
from sqlalchemy import text

from errors import KeyRefused
from events import (
    Event,
    TrainingProgressed,
    TrainingStarted,
    UserDeleted,
    UserErased,
    UserLoggedIn,
)
from handlers.analytics.handler import forward
from handlers.erasure_elsewhere import delete_persons, delete_progress
from handlers.progress import show_progress
from services.posthog import Persons
from tests.doubles import Doubles
from tests.factories import (
    dataset_uploaded,
    prediction_made,
    publish_now,
    sign_up,
    training_event,
)
from tests.handlers.steps import work_until_done
from tests.pipeline import Pipeline

DELETION = "/persons/bulk_delete/"


@pytest.fixture
def erasing_everywhere(erasing: Pipeline) -> Pipeline:
    erasing.follow(
        *erasing.handlers.values(), delete_progress, delete_persons, forward, show_progress
    )
    return erasing


def erase_everything(pipeline: Pipeline, *users: UUID) -> None:
    publish_now(pipeline.assembly, *(UserDeleted(user_id=user_id) for user_id in users))
    for _ in range(3):
        pipeline.work()
        pipeline.pass_time()
    work_until_done(pipeline)


def deletions(doubles: Doubles) -> int:
    return sum(DELETION in request.path for request in doubles.requests("posthog"))


def test_the_person_at_posthog_goes_with_all_its_events_and_nobody_elses(
    erasing_everywhere: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    other = sign_up(erasing_everywhere.assembly)
    publish_now(erasing_everywhere.assembly, prediction_made(user_id), prediction_made(other))
    work_until_done(erasing_everywhere)
    assert set(doubles.posthog.persons) == {str(user_id), str(other)}

    erase_everything(erasing_everywhere, user_id)

    assert set(doubles.posthog.persons) == {str(other)}
    assert {each.distinct_id for each in doubles.posthog.received} == {str(other)}


def test_nothing_is_captured_of_a_user_whose_person_will_be_deleted(
    erasing_everywhere: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(erasing_everywhere.assembly, prediction_made(user_id))
    work_until_done(erasing_everywhere)
    erase_everything(erasing_everywhere, user_id)

    publish_now(erasing_everywhere.assembly, dataset_uploaded(user_id))
    work_until_done(erasing_everywhere)

    assert doubles.posthog.warnings == []
    assert doubles.posthog.received == []


@pytest.mark.usefixtures("person_deletion_off")
def test_what_a_deleted_user_did_still_counts_where_persons_are_not_deleted(
    erasing_everywhere: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    erase_everything(erasing_everywhere, user_id)
    publish_now(erasing_everywhere.assembly, UserLoggedIn(user_id=user_id))
    work_until_done(erasing_everywhere)

    assert "user_logged_in" in {each.event for each in doubles.posthog.received}
    assert deletions(doubles) == 0


def test_the_person_is_not_deleted_while_work_may_be_in_hand(
    erasing_everywhere: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(erasing_everywhere.assembly, UserErased(user_id=user_id))

    for _ in range(2):
        erasing_everywhere.work()
        with erasing_everywhere.assembly.engine.begin() as connection:
            connection.execute(text("UPDATE insights.deliveries SET due_at = now()"))

    assert deletions(doubles) == 0
    assert {row.attempts for row in erasing_everywhere.owed()} == {0}


@pytest.mark.parametrize("kind", ["lose", "drop", "status"])
def test_a_deletion_survives_an_outage_and_a_lost_answer(
    kind: str, erasing_everywhere: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(erasing_everywhere.assembly, prediction_made(user_id))
    work_until_done(erasing_everywhere)
    doubles.set_fault("posthog", kind, times=1, path=DELETION)

    publish_now(erasing_everywhere.assembly, UserDeleted(user_id=user_id))
    for _ in range(3):
        erasing_everywhere.work()
        erasing_everywhere.pass_time()
    assert {row.attempts for row in erasing_everywhere.owed()} <= {0}
    work_until_done(erasing_everywhere)

    assert doubles.posthog.persons == {}


def test_many_users_are_deleted_by_one_request(
    erasing_everywhere: Pipeline, doubles: Doubles
) -> None:
    users = [sign_up(erasing_everywhere.assembly) for _ in range(20)]
    publish_now(erasing_everywhere.assembly, *map(prediction_made, users))
    work_until_done(erasing_everywhere)

    erase_everything(erasing_everywhere, *users)

    assert doubles.posthog.persons == {}
    assert deletions(doubles) == 1


def test_a_wrong_project_waits_for_an_operator_instead_of_killing_deliveries(
    doubles: Doubles, user_id: UUID
) -> None:
    persons = Persons(f"{doubles.url}/posthog", 2, "phx_key")

    with pytest.raises(KeyRefused, match="POSTHOG_PROJECT_ID"):
        persons.delete([user_id])
    persons.close()


def test_the_live_progress_of_a_deleted_users_trainings_is_deleted_and_stays_away(
    erasing_everywhere: Pipeline, user_id: UUID
) -> None:
    progress = erasing_everywhere.assembly.services.progress
    other = sign_up(erasing_everywhere.assembly)
    mine, theirs = (
        training_event(TrainingStarted, 1, user, training_id=id_)
        for user, id_ in ((user_id, "t-1"), (other, "t-2"))
    )
    of_theirs = training_event(TrainingProgressed, 2, user_id, training_id="t-2")
    publish_now(erasing_everywhere.assembly, mine, theirs)
    publish_now(erasing_everywhere.assembly, of_theirs)
    work_until_done(erasing_everywhere)
    assert progress.read("t-1") is not None

    erase_everything(erasing_everywhere, user_id)

    assert progress.read("t-1") is None
    assert progress.read("t-2") is not None
    late: Event = training_event(TrainingProgressed, 3, user_id, training_id="t-1")
    publish_now(erasing_everywhere.assembly, late)
    work_until_done(erasing_everywhere)
    assert progress.read("t-1") is None
