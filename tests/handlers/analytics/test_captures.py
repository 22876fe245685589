"""The names and properties at PostHog are those of the contract, for every event that it wants."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import PredictionMade, UserEvent, UserLoggedIn, UserSignedUp, load_catalogue, uuid7
from handlers.analytics.captures import TRACKED
from sandbox.posthog.project import Captured
from tests.doubles import Doubles
from tests.factories import (
    dataset_uploaded,
    sign_up,
    training_completed,
    training_started,
)
from tests.handlers.steps import captured_after
from tests.pipeline import Pipeline


def plain_properties(captured: Captured) -> dict[str, Any]:
    return {k: v for k, v in captured.properties.items() if not k.startswith("$")}


def test_every_event_of_a_user_that_analytics_wants_is_tracked() -> None:
    unwanted = {
        "prediction.requested",
        "training.progressed",
        "training.requested",
        "user.analytics_choice_made",
        "user.erased",
    }
    of_users = {n for n, each in load_catalogue().items() if issubclass(each, UserEvent)}

    assert {each.type for each in TRACKED} == of_users - unwanted


def test_the_contracts_events_have_its_names_and_properties(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    started = training_started(user_id)
    made = PredictionMade(user_id=user_id, model_id="m-1", batch=True, prediction_count=7)
    events = [dataset_uploaded(user_id), started, training_completed(user_id), made]

    captured = {
        each.event: plain_properties(each)
        for each in captured_after(analytics_pipeline, doubles, *events)
    }

    assert captured == {
        "dataset_uploaded": {
            "filename": "a.csv",
            "size_mb": 1.0,
            "row_count": 9,
            "column_count": 3,
        },
        "training_started": {
            "algorithm": "random_forest",
            "problem_type": "classification",
            "dataset_size": 489,
        },
        "training_completed": {
            "duration_seconds": 2.5,
            "accuracy": 0.92314,
            "algorithm": "random_forest",
        },
        "prediction_made": {"model_id": "m-1", "batch": True, "prediction_count": 7},
    }


def test_an_event_keeps_its_id_and_its_time(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    event = dataset_uploaded(user_id)

    (captured,) = captured_after(analytics_pipeline, doubles, event)

    assert (captured.uuid, captured.distinct_id) == (str(event.id), str(user_id))
    assert captured.timestamp == event.occurred_at


def test_sign_up_and_sign_in_set_the_person(analytics_pipeline: Pipeline, doubles: Doubles) -> None:
    new, old = uuid7(), sign_up(analytics_pipeline.assembly, "pro")
    signed_up = UserSignedUp(user_id=new, email="ada@example.com", name="Ada")

    captured_after(analytics_pipeline, doubles, signed_up, UserLoggedIn(user_id=old))

    persons = doubles.posthog.persons
    assert persons[str(new)] == {
        "email": "ada@example.com",
        "name": "Ada",
        "plan": "free",
        "created_at": signed_up.occurred_at.isoformat(),
    }
    assert persons[str(old)]["plan"] == "pro"
    assert persons[str(old)]["email"] == f"{old.hex}@example.com"


@pytest.mark.usefixtures("person_deletion_off")
def test_of_a_deleted_user_no_properties_of_the_person_are_set(
    analytics_pipeline: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    with analytics_pipeline.assembly.engine.begin() as connection:
        note = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
        connection.execute(text(note), {"id": user})

    captured_after(
        analytics_pipeline, doubles, UserSignedUp(user_id=user, email="ada@example.com", name="Ada")
    )

    assert doubles.posthog.persons[str(user)] == {}


def test_an_empty_profile_hides_nothing_that_a_sign_up_brings(
    analytics_pipeline: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    with analytics_pipeline.assembly.engine.begin() as connection:
        connection.execute(text("INSERT INTO public.profiles (id) VALUES (:id)"), {"id": user})

    captured_after(
        analytics_pipeline, doubles, UserSignedUp(user_id=user, email="ada@example.com", name="Ada")
    )

    person = doubles.posthog.persons[str(user)]
    assert (person["email"], person["name"]) == ("ada@example.com", "Ada")
