"""Users without activity for long are published once in each absence."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from events import Event, InactivityDue, PredictionMade, UserDeleted, UserLoggedIn
from handlers import activity
from handlers.activity import find_inactive, note_activity
from tests.factories import publish_now, sign_up
from tests.pipeline import Pipeline

NOON = datetime(2026, 1, 24, 12, tzinfo=UTC)  # weeks ago: nothing of later may be published


@pytest.fixture
def activity_pipeline(pipeline: Pipeline) -> Pipeline:
    pipeline.follow(note_activity, find_inactive)
    return pipeline


def active(user: UUID, days_ago: float, class_: type[Event] = UserLoggedIn) -> Event:
    at = NOON - timedelta(days=days_ago)
    more = {"model_id": "m"} if class_ is PredictionMade else {}
    return class_.model_validate({"user_id": user, "occurred_at": at} | more)


def inactive_after_look(activity_pipeline: Pipeline, days_later: float = 0) -> list[UUID]:
    """Look for inactive users; return all published so far, each as often as published."""
    due = InactivityDue(days=14, occurred_at=NOON + timedelta(days=days_later))
    publish_now(activity_pipeline.assembly, due)
    for _ in range(4):
        activity_pipeline.work()
        activity_pipeline.pass_time()
    with activity_pipeline.assembly.engine.connect() as connection:
        query = "SELECT user_id FROM insights.events WHERE type = 'user.inactive'"
        return sorted(connection.scalars(text(query)))


def test_fourteen_days_without_activity_are_published_once(
    activity_pipeline: Pipeline, user_id: UUID
) -> None:
    busy = sign_up(activity_pipeline.assembly)
    publish_now(
        activity_pipeline.assembly,
        active(user_id, 15),
        active(busy, 15),
        active(busy, 1, PredictionMade),
    )

    assert inactive_after_look(activity_pipeline) == [user_id]
    assert inactive_after_look(activity_pipeline, 1) == [user_id]


def test_a_new_absence_is_published_again(activity_pipeline: Pipeline, user_id: UUID) -> None:
    publish_now(activity_pipeline.assembly, active(user_id, 15))
    inactive_after_look(activity_pipeline)
    publish_now(activity_pipeline.assembly, active(user_id, -1))

    assert inactive_after_look(activity_pipeline, 2) == [user_id]
    assert inactive_after_look(activity_pipeline, 16) == [user_id, user_id]


def test_an_absence_is_of_the_time_of_the_look_whatever_the_clock_of_the_worker(
    activity_pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(activity_pipeline.assembly, active(user_id, 15))
    inactive_after_look(activity_pipeline)

    with activity_pipeline.assembly.engine.connect() as connection:
        asked = "SELECT occurred_at FROM insights.events WHERE type = 'user.inactive'"
        assert connection.scalar(text(asked)) == NOON


def test_a_late_event_of_older_activity_begins_no_new_absence(
    activity_pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(activity_pipeline.assembly, active(user_id, 15))
    inactive_after_look(activity_pipeline)
    publish_now(activity_pipeline.assembly, active(user_id, 20))

    assert inactive_after_look(activity_pipeline, 1) == [user_id]


def test_a_deleted_user_is_not_inactive(activity_pipeline: Pipeline, user_id: UUID) -> None:
    publish_now(activity_pipeline.assembly, active(user_id, 15))
    activity_pipeline.work()
    publish_now(activity_pipeline.assembly, UserDeleted(user_id=user_id))

    assert inactive_after_look(activity_pipeline) == []


def test_activity_that_an_event_brought_back_during_the_deletion_goes_with_the_next_look(
    activity_pipeline: Pipeline, user_id: UUID
) -> None:
    with activity_pipeline.assembly.engine.begin() as connection:
        active_again = "INSERT INTO insights.activity (user_id, last_active_at) VALUES (:id, :at)"
        connection.execute(text(active_again), {"id": user_id, "at": NOON - timedelta(days=1)})
        deleted = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
        connection.execute(text(deleted), {"id": user_id})

    assert inactive_after_look(activity_pipeline) == []
    with activity_pipeline.assembly.engine.connect() as connection:
        assert connection.execute(text("SELECT user_id FROM insights.activity")).all() == []


def test_a_user_without_recorded_activity_counts_from_the_first_look_on(
    activity_pipeline: Pipeline, user_id: UUID
) -> None:
    assert inactive_after_look(activity_pipeline) == []
    assert inactive_after_look(activity_pipeline, 13) == []
    assert inactive_after_look(activity_pipeline, 15) == [user_id]


def test_many_are_found_in_steps(
    activity_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, user_id: UUID
) -> None:
    monkeypatch.setattr(activity, "USERS_PER_RUN", 2)
    users = [sign_up(activity_pipeline.assembly) for _ in range(5)]
    publish_now(activity_pipeline.assembly, *(active(user, 15) for user in users))

    assert inactive_after_look(activity_pipeline) == sorted(users)
