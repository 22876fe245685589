"""Product analytics: the contract's names and properties, once, and never for who opted out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import (
    AnalyticsChoiceMade,
    Event,
    PredictionMade,
    TrainingStarted,
    UserEvent,
    UserLoggedIn,
    UserSignedUp,
    UserUpdated,
    load_catalogue,
    uuid7,
)
from handlers.analytics.captures import TRACKED
from handlers.analytics.handler import forward
from handlers.profiles import keep_profiles
from handlers.prune import prune
from sandbox.posthog.project import Captured
from tests.doubles import Doubles
from tests.factories import publish_now, sign_up
from tests.handlers.contacts.test_contacts import uploaded
from tests.handlers.emails.test_emails import completed
from tests.pipeline import Pipeline


@pytest.fixture
def forwarding(pipeline_with_doubles: Pipeline) -> Pipeline:
    pipeline_with_doubles.follow(forward)
    return pipeline_with_doubles


def sent(forwarding: Pipeline, doubles: Doubles, *events: Event) -> Sequence[Captured]:
    publish_now(forwarding.assembly, *events)
    for _ in range(3):
        forwarding.work()
        forwarding.pass_time()
    assert forwarding.owed() == []
    captured: Sequence[Captured] = doubles.posthog.events()
    return captured


def plain(captured: Captured) -> dict[str, Any]:
    return {k: v for k, v in captured.properties.items() if not k.startswith("$")}


def test_the_contracts_events_have_its_names_and_properties(
    forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    started = TrainingStarted(
        user_id=user_id, training_id="t-1", dataset_id="d-1", algorithm="random_forest",
        problem_type="classification", dataset_size=489,
    )  # fmt: skip
    made = PredictionMade(user_id=user_id, model_id="m-1", batch=True, prediction_count=7)
    events = [uploaded(user_id), started, completed(user_id), made]

    captured = {each.event: plain(each) for each in sent(forwarding, doubles, *events)}

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
    forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    event = uploaded(user_id)

    (captured,) = sent(forwarding, doubles, event)

    assert (captured.uuid, captured.distinct_id) == (str(event.id), str(user_id))
    assert captured.timestamp == event.occurred_at


def test_a_person_is_known_by_sign_up_and_sign_in(forwarding: Pipeline, doubles: Doubles) -> None:
    new, old = uuid7(), sign_up(forwarding.assembly, "pro")
    signed_up = UserSignedUp(user_id=new, email="ada@example.com", name="Ada")

    sent(forwarding, doubles, signed_up, UserLoggedIn(user_id=old))

    persons = doubles.posthog.persons
    assert persons[str(new)] == {
        "email": "ada@example.com",
        "name": "Ada",
        "plan": "free",
        "created_at": signed_up.occurred_at.isoformat(),
    }
    assert persons[str(old)]["plan"] == "pro"
    assert persons[str(old)]["email"] == f"{old.hex}@example.com"


@pytest.mark.parametrize("fault", ["lose", "drop"])
def test_what_is_sent_again_counts_once(
    fault: str, forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.break_down("posthog", fault, times=2)

    captured = sent(forwarding, doubles, *(uploaded(user_id) for _ in range(20)))

    assert len(captured) == 20
    assert len(doubles.posthog.received) == (60 if fault == "lose" else 20)


def test_many_events_are_one_request(forwarding: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    sent(forwarding, doubles, *(uploaded(user_id) for _ in range(300)))

    assert doubles.posthog.batches == 1


def test_history_is_marked_so_that_it_is_not_taken_for_news(
    forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    old = uploaded(user_id).model_copy(update={"occurred_at": datetime.now(UTC) - timedelta(3)})

    captured = sent(forwarding, doubles, old, uploaded(user_id))

    assert sorted(each.historical for each in captured) == [False, True]


def test_who_opted_out_is_never_sent_from_the_moment_of_the_choice(
    forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    other = sign_up(forwarding.assembly)
    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True)

    captured = sent(forwarding, doubles, uploaded(user_id), no, uploaded(other))

    assert [each.distinct_id for each in captured] == [str(other)]


def test_the_latest_choice_counts_whatever_the_order(
    forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    now = datetime.now(UTC)
    yes = AnalyticsChoiceMade(user_id=user_id, opted_out=False, occurred_at=now)
    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True, occurred_at=now - timedelta(1))

    assert len(sent(forwarding, doubles, yes, no, uploaded(user_id))) == 1


def test_an_opt_out_is_not_pruned(forwarding: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True)
    publish_now(forwarding.assembly, no, UserLoggedIn(user_id=uuid7()))
    forwarding.work()
    with forwarding.assembly.sessions.begin() as session:
        assert prune(session, timedelta(seconds=-1)) == 1

    captured = sent(forwarding, doubles, uploaded(user_id))
    assert [each.event for each in captured] == ["user_logged_in"]


def test_every_event_of_a_user_that_analytics_wants_is_tracked() -> None:
    unwanted = {
        "prediction.requested",
        "training.progressed",
        "training.requested",
        "user.analytics_choice_made",
    }
    of_users = {n for n, each in load_catalogue().items() if issubclass(each, UserEvent)}

    assert {each.type for each in TRACKED} == of_users - unwanted


def test_a_poisonous_event_is_dead_alone(
    forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.break_down("posthog", "status", status=413)
    publish_now(forwarding.assembly, *(uploaded(user_id) for _ in range(3)))

    forwarding.work()

    assert {row.last_error.split(":")[0] for row in forwarding.owed()} == {"PostHog answers 413"}
    assert all(row.died_at for row in forwarding.owed())


def test_without_a_key_nothing_is_sent(pipeline: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    pipeline.follow(forward)
    publish_now(pipeline.assembly, uploaded(user_id))

    pipeline.work()

    assert pipeline.owed() == []
    assert doubles.posthog.received == []


def test_who_a_person_was_is_not_told_once_they_have_left(
    forwarding: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    with forwarding.assembly.engine.begin() as connection:
        note = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
        connection.execute(text(note), {"id": user})

    sent(forwarding, doubles, UserSignedUp(user_id=user, email="ada@example.com", name="Ada"))

    assert doubles.posthog.persons[str(user)] == {}


def test_a_clock_that_is_fast_outvotes_nobody(
    forwarding: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    yes = AnalyticsChoiceMade(user_id=user_id, opted_out=False, occurred_at=tomorrow)
    publish_now(forwarding.assembly, yes)

    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True)

    assert sent(forwarding, doubles, no, uploaded(user_id)) == []


def test_a_person_is_told_of_as_the_news_says_not_as_the_profile_was(
    pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    pipeline_with_doubles.follow(forward, keep_profiles)
    publish_now(
        pipeline_with_doubles.assembly, UserUpdated(user_id=user_id, email="new@example.com")
    )
    messages = {message.queue_name: message for message in pipeline_with_doubles.lease()}

    pipeline_with_doubles.deliver(messages["analytics"])
    assert doubles.posthog.events() == []
    pipeline_with_doubles.deliver(messages["profiles"])
    pipeline_with_doubles.pass_time()
    pipeline_with_doubles.work()

    assert doubles.posthog.persons[str(user_id)]["email"] == "new@example.com"


def test_a_bare_profile_hides_nothing_that_a_sign_up_tells(
    forwarding: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    with forwarding.assembly.engine.begin() as connection:
        connection.execute(text("INSERT INTO public.profiles (id) VALUES (:id)"), {"id": user})

    sent(forwarding, doubles, UserSignedUp(user_id=user, email="ada@example.com", name="Ada"))

    person = doubles.posthog.persons[str(user)]
    assert (person["email"], person["name"]) == ("ada@example.com", "Ada")
