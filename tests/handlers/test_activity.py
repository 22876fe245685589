"""Who has been away for long is told of once, until they come back and leave again."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from events import Event, InactivityDue, PredictionMade, UserDeleted, UserLoggedIn
from handlers import activity
from handlers.activity import find_inactive, note_activity
from tests.factories import publish_now, sign_up
from tests.pipeline import Pipeline

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def noting(pipeline: Pipeline) -> Pipeline:
    pipeline.follow(note_activity, find_inactive)
    return pipeline


def did(user: UUID, days_ago: float, class_: type[Event] = UserLoggedIn) -> Event:
    at = NOON - timedelta(days=days_ago)
    more = {"model_id": "m"} if class_ is PredictionMade else {}
    return class_.model_validate({"user_id": user, "occurred_at": at} | more)


def look(noting: Pipeline, days_later: float = 0) -> list[UUID]:
    """Look for the inactive; return whom all looks so far found, each as often as told."""
    due = InactivityDue(days=14, occurred_at=NOON + timedelta(days=days_later))
    publish_now(noting.assembly, due)
    for _ in range(4):
        noting.work()
        noting.pass_time()
    with noting.assembly.engine.connect() as connection:
        query = "SELECT user_id FROM insights.events WHERE type = 'user.inactive'"
        return sorted(connection.scalars(text(query)))


def test_fourteen_days_without_a_deed_are_told_once(noting: Pipeline, user_id: UUID) -> None:
    busy = sign_up(noting.assembly)
    publish_now(noting.assembly, did(user_id, 15), did(busy, 15), did(busy, 1, PredictionMade))

    assert look(noting) == [user_id]
    assert look(noting, 1) == [user_id]


def test_a_new_absence_is_told_again(noting: Pipeline, user_id: UUID) -> None:
    publish_now(noting.assembly, did(user_id, 15))
    look(noting)
    publish_now(noting.assembly, did(user_id, -1))

    assert look(noting, 2) == [user_id]
    assert look(noting, 16) == [user_id, user_id]


def test_late_news_of_an_older_deed_begins_no_new_absence(noting: Pipeline, user_id: UUID) -> None:
    publish_now(noting.assembly, did(user_id, 15))
    look(noting)
    publish_now(noting.assembly, did(user_id, 20))

    assert look(noting, 1) == [user_id]


def test_who_left_is_not_missed(noting: Pipeline, user_id: UUID) -> None:
    publish_now(noting.assembly, did(user_id, 15))
    noting.work()
    publish_now(noting.assembly, UserDeleted(user_id=user_id))

    assert look(noting) == []


def test_who_never_did_anything_is_watched_from_the_first_look_on(
    noting: Pipeline, user_id: UUID
) -> None:
    assert look(noting) == []
    assert look(noting, 13) == []
    assert look(noting, 15) == [user_id]


def test_many_are_found_in_steps(
    noting: Pipeline, monkeypatch: pytest.MonkeyPatch, user_id: UUID
) -> None:
    monkeypatch.setattr(activity, "AT_ONCE", 2)
    users = [sign_up(noting.assembly) for _ in range(5)]
    publish_now(noting.assembly, *(did(user, 15) for user in users))

    assert look(noting) == sorted(users)
