"""How events are sent to PostHog: in batches, and each counts once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from events import UserUpdated
from handlers.analytics.handler import forward
from handlers.profiles import keep_profiles
from tests.doubles import Doubles
from tests.factories import dataset_uploaded, publish_now
from tests.handlers.steps import captured_after
from tests.pipeline import Pipeline


@pytest.mark.parametrize("fault", ["lose", "drop"])
def test_an_event_that_is_sent_again_counts_once(
    fault: str, analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.set_fault("posthog", fault, times=2)

    captured = captured_after(
        analytics_pipeline, doubles, *(dataset_uploaded(user_id) for _ in range(20))
    )

    assert len(captured) == 20
    assert len(doubles.posthog.received) == (60 if fault == "lose" else 20)


def test_many_events_are_one_request(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    captured_after(analytics_pipeline, doubles, *(dataset_uploaded(user_id) for _ in range(300)))

    assert doubles.posthog.batches == 1


def test_old_events_are_marked_as_historical(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    old = dataset_uploaded(user_id).model_copy(
        update={"occurred_at": datetime.now(UTC) - timedelta(3)}
    )

    captured = captured_after(analytics_pipeline, doubles, old, dataset_uploaded(user_id))

    assert sorted(each.historical for each in captured) == [False, True]


def test_what_posthog_will_never_take_is_dead(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.set_fault("posthog", "status", status=413)
    publish_now(analytics_pipeline.assembly, *(dataset_uploaded(user_id) for _ in range(3)))

    analytics_pipeline.work()

    assert {row.last_error.split(":")[0] for row in analytics_pipeline.owed()} == {
        "PostHog answers 413"
    }
    assert all(row.died_at for row in analytics_pipeline.owed())


def test_without_a_key_nothing_is_sent(pipeline: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    pipeline.follow(forward)
    publish_now(pipeline.assembly, dataset_uploaded(user_id))

    assert pipeline.owed() == []
    pipeline.work()
    assert doubles.posthog.received == []


def test_the_person_is_set_as_the_event_says_not_as_the_profile_was(
    pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    pipeline_with_doubles.follow(forward, keep_profiles)
    publish_now(
        pipeline_with_doubles.assembly, UserUpdated(user_id=user_id, email="new@example.com")
    )

    assert pipeline_with_doubles.rung() == ["profiles"]
    pipeline_with_doubles.answer("analytics")
    assert doubles.posthog.events() == []
    pipeline_with_doubles.answer("profiles")
    pipeline_with_doubles.work()

    assert doubles.posthog.persons[str(user_id)]["email"] == "new@example.com"
