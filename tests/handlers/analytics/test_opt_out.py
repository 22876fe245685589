"""Users who opted out of product analytics are never sent."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from events import AnalyticsChoiceMade, UserLoggedIn, uuid7
from models.prunable_events import prune
from tests.doubles import Doubles
from tests.factories import dataset_uploaded, publish_now, sign_up
from tests.handlers.steps import captured_after
from tests.pipeline import Pipeline


def test_a_user_who_opted_out_is_never_sent_from_the_moment_of_the_choice(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    other = sign_up(analytics_pipeline.assembly)
    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True)

    captured = captured_after(
        analytics_pipeline, doubles, dataset_uploaded(user_id), no, dataset_uploaded(other)
    )

    assert [each.distinct_id for each in captured] == [str(other)]


def test_the_latest_choice_counts_whatever_the_order(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    now = datetime.now(UTC)
    yes = AnalyticsChoiceMade(user_id=user_id, opted_out=False, occurred_at=now)
    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True, occurred_at=now - timedelta(1))

    assert len(captured_after(analytics_pipeline, doubles, yes, no, dataset_uploaded(user_id))) == 1


def test_a_choice_from_a_clock_that_is_fast_does_not_win(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    yes = AnalyticsChoiceMade(user_id=user_id, opted_out=False, occurred_at=tomorrow)
    publish_now(analytics_pipeline.assembly, yes)

    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True)

    assert captured_after(analytics_pipeline, doubles, no, dataset_uploaded(user_id)) == []


def test_an_opt_out_is_not_pruned(
    analytics_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    no = AnalyticsChoiceMade(user_id=user_id, opted_out=True)
    publish_now(analytics_pipeline.assembly, no, UserLoggedIn(user_id=uuid7()))
    analytics_pipeline.work()
    with analytics_pipeline.assembly.sessions.begin() as session:
        assert prune(session, timedelta(seconds=-1)).deleted == 1

    captured = captured_after(analytics_pipeline, doubles, dataset_uploaded(user_id))
    assert [each.event for each in captured] == ["user_logged_in"]
