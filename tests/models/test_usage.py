"""Usage is counted once per event, marks are passed once, and both are shown beside the plan."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from events import uuid7
from models.usage_ledger import Use, count
from models.usage_limits import ResourceUse, usage_of
from models.usage_marks import ReachedMark
from runtime.assembly import Assembly
from tests.factories import sign_up


@pytest.fixture
def session(assembly: Assembly) -> Iterator[Session]:
    with assembly.sessions() as session:
        yield session


def use(user: UUID, amount: int, resource: str = "predictions") -> Use:
    return Use(uuid7(), user, resource, amount, datetime.now(UTC))


def rows(session: Session, user: UUID) -> dict[str | None, ResourceUse]:
    return {row.resource: row for row in usage_of(session, user)}


def test_an_event_is_counted_once_and_a_mark_passed_once(session: Session, user_id: UUID) -> None:
    first, second = use(user_id, 79), use(user_id, 1)

    assert count(session, [first]) == []
    (reached,) = count(session, [first, second])
    assert count(session, [first, second]) == []

    month = second.at.strftime("%Y-%m")
    assert reached == ReachedMark(user_id, "predictions", month, "80", 80, 100)
    assert rows(session, user_id)["predictions"].used == 80


def test_uses_of_users_without_a_profile_are_not_counted(session: Session) -> None:
    stranger = uuid7()

    assert count(session, [use(stranger, 1_000)]) == []

    assert session.scalar(text("SELECT count(*) FROM insights.usage_ledger")) == 0


def test_usage_is_shown_beside_the_limits_of_the_plan(session: Session, user_id: UUID) -> None:
    count(session, [use(user_id, 4, "datasets"), use(user_id, 100)])

    shown = usage_of(session, user_id)

    month = datetime.now(UTC).strftime("%Y-%m")
    assert shown == [
        ResourceUse("free", month, "datasets", 4, 5, 1, True),
        ResourceUse("free", month, "trainings", 0, 10, 10, True),
        ResourceUse("free", month, "predictions", 100, 100, 0, False),
    ]


def test_what_is_unlimited_has_no_limit_and_nothing_remaining(
    session: Session, assembly: Assembly
) -> None:
    found = rows(session, sign_up(assembly, "enterprise"))["predictions"]

    assert (found.limit, found.remaining, found.allowed) == (None, None, True)


def test_an_unknown_user_is_one_on_the_free_plan(session: Session) -> None:
    assert {row.plan for row in usage_of(session, uuid7())} == {"free"}
