"""When users were active last, and whose absence is noticed once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from models import activity, profile_news
from models.activity import Absent
from runtime.assembly import Assembly
from tests.factories import sign_up

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEK, FORTNIGHT = timedelta(days=7), timedelta(days=14)
ADA, BEA = UUID(int=1), UUID(int=2)


@pytest.fixture
def session(assembly: Assembly) -> Iterator[Session]:
    with assembly.sessions() as session:
        yield session


def absent(session: Session, at: datetime = NOW, at_most: int = 100) -> list[Absent]:
    return sorted(activity.mark_absent(session, at, WEEK, at_most))


def test_only_the_newest_activity_counts(session: Session) -> None:
    activity.record(session, [(ADA, NOW - WEEK), (ADA, NOW), (BEA, NOW)])
    activity.record(session, [(ADA, NOW - FORTNIGHT)])

    assert activity.was_active_after(session, ADA, NOW - timedelta(seconds=1))
    assert not activity.was_active_after(session, ADA, NOW)


def test_an_absence_is_returned_once_and_a_new_one_again(session: Session) -> None:
    activity.record(session, [(ADA, NOW - FORTNIGHT), (BEA, NOW)])

    assert absent(session) == [Absent(ADA, NOW - FORTNIGHT)]
    assert absent(session) == []
    activity.record(session, [(ADA, NOW)])
    assert absent(session) == []
    assert set(absent(session, NOW + FORTNIGHT)) == {Absent(ADA, NOW), Absent(BEA, NOW)}


def test_absences_are_marked_in_steps(session: Session) -> None:
    activity.record(session, [(ADA, NOW - FORTNIGHT), (BEA, NOW - FORTNIGHT)])

    assert [len(absent(session, at_most=1)) for _ in range(3)] == [1, 1, 0]


def test_users_of_before_are_watched_from_now_on(assembly: Assembly, session: Session) -> None:
    known, new = sign_up(assembly), sign_up(assembly)
    activity.record(session, [(known, NOW - FORTNIGHT)])

    activity.watch(session, NOW)

    assert absent(session) == [Absent(known, NOW - FORTNIGHT)]
    assert absent(session, NOW + FORTNIGHT) == [Absent(new, NOW)]


def test_a_deleted_user_is_forgotten_and_late_events_bring_nothing_back(session: Session) -> None:
    activity.record(session, [(ADA, NOW - FORTNIGHT)])
    profile_news.merge(
        session, ADA, UUID(int=9), NOW, has_email=False, has_name=False, is_deletion=True
    )

    activity.forget(session, [ADA])
    activity.record(session, [(ADA, NOW - FORTNIGHT)])

    assert absent(session) == []
