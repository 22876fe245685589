"""An event: what is data, what follows from it, and how it is read back."""

import pytest
from pydantic import ValidationError

from events import PredictionMade, TrainingStarted, UserLoggedIn, named_id, uuid7
from tests.factories import prediction_made, training_started


def test_data_is_what_the_type_adds_without_what_is_not_set() -> None:
    assert prediction_made(uuid7(), 3).data == {
        "model_id": "m",
        "batch": False,
        "prediction_count": 3,
    }
    assert UserLoggedIn(user_id=uuid7()).data == {}


def test_a_follower_has_the_same_id_each_time_and_one_per_name() -> None:
    event = prediction_made(uuid7())

    first, again = event.follow(UserLoggedIn), event.follow(UserLoggedIn)
    named = event.follow(UserLoggedIn, "other")

    assert first.id == again.id == named_id(event.id, "user.logged_in")
    assert named.id != first.id


def test_a_follower_stays_in_the_correlation_that_began_with_the_first_event() -> None:
    first = prediction_made(uuid7())
    second = first.follow(UserLoggedIn)
    third = second.follow(UserLoggedIn)

    assert (second.correlation_id, second.causation_id) == (first.id, first.id)
    assert (third.correlation_id, third.causation_id) == (first.id, second.id)
    assert third.user_id == first.user_id


def test_events_are_restored_as_they_were_and_fields_of_newer_publishers_are_ignored() -> None:
    event = training_started(uuid7())
    body = event.model_dump_json()

    assert TrainingStarted.restore([body, body[:-1] + ',"added_later":1}']) == [event, event]
    with pytest.raises(ValidationError):
        PredictionMade.restore([body])


def test_an_event_is_never_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        prediction_made(uuid7()).model_id = "other"  # type: ignore[misc]
