"""Profiles, and which event said the newest of each part of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from models import profile_news, profiles
from models.profile_news import Newest, ProfileNewsRow
from models.profiles import User
from runtime.assembly import Assembly

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADA, STRANGER = UUID(int=1), UUID(int=2)


@pytest.fixture
def session(assembly: Assembly) -> Iterator[Session]:
    with assembly.sessions() as session:
        yield session


def merge(
    session: Session,
    event: int,
    at: datetime,
    *,
    email: bool = False,
    name: bool = False,
    deletion: bool = False,
) -> Newest:
    return profile_news.merge(
        session, ADA, UUID(int=event), at, has_email=email, has_name=name, is_deletion=deletion
    )


def test_an_older_event_is_not_the_newest_of_any_part(session: Session) -> None:
    assert merge(session, 1, NOON, email=True) == Newest(False, True, False)
    assert merge(session, 2, NOON - HOUR, email=True, name=True) == Newest(False, False, True)
    assert merge(session, 3, NOON + HOUR, email=True) == Newest(False, True, False)


def test_any_order_of_events_ends_in_the_same(session: Session) -> None:
    changes: list[dict[str, Any]] = [
        {"event": 1, "at": NOON, "email": True, "name": True},
        {"event": 2, "at": NOON, "name": True},
        {"event": 3, "at": NOON - HOUR, "email": True},
        {"event": 4, "at": NOON + HOUR, "deletion": True},
    ]
    ends = set()
    for order in permutations(changes):
        for change in order:
            merge(session, **change)
        row = session.get_one(ProfileNewsRow, ADA)
        ends.add((row.email_at, row.email_by, row.name_at, row.name_by, row.deleted_at))
        session.rollback()

    assert ends == {(NOON, UUID(int=1), NOON, UUID(int=2), NOON + HOUR)}


def test_saving_creates_a_profile_and_changes_only_what_is_given(session: Session) -> None:
    profiles.save(session, ADA, "ada@example.com", "Ada", NOON)
    profiles.save(session, ADA, None, "Ada Lovelace", NOON - HOUR)
    profiles.save(session, ADA, "countess@example.com", None, NOON + HOUR)

    user = profiles.user_by_id(session, ADA)
    assert user == User(True, False, "countess@example.com", "Ada Lovelace", "free", NOON - HOUR)
    assert user.first_name == "Ada"


@pytest.mark.parametrize(("name", "first"), [(None, None), ("  ", None), (" Ada  L. ", "Ada")])
def test_the_first_name_is_the_first_word(name: str | None, first: str | None) -> None:
    assert User(True, False, None, name, "free", None).first_name == first


def test_a_deleted_user_is_known_no_more_but_not_missing(session: Session) -> None:
    profiles.save(session, ADA, "ada@example.com", "Ada", NOON)
    assert profiles.missing(session, [ADA, STRANGER]) == {STRANGER}

    profiles.delete(session, ADA)
    assert profiles.missing(session, [ADA, STRANGER]) == {ADA, STRANGER}
    merge(session, 1, NOON, deletion=True)
    assert profiles.missing(session, [ADA, STRANGER]) == {STRANGER}

    found = profiles.users_by_id(session, [ADA, STRANGER])
    assert found == {
        ADA: User(False, True, None, None, "free", None),
        STRANGER: User(False, False, None, None, "free", None),
    }
