"""The counters hold much, outlive the profile, and pass the marks of each plan's limit."""

from uuid import UUID

import pytest

from events import uuid7
from runtime.assembly import Assembly
from tests.factories import sign_up
from tests.models.conftest import SqlConnection
from tests.models.usage_rpc import check, increment, month, published, usage_row


@pytest.fixture
def user_id(shared: Assembly) -> UUID:
    """A new user on the free plan, beside those of other tests."""
    return sign_up(shared)


def test_counters_hold_more_than_an_integer(sql: SqlConnection, user_id: UUID) -> None:
    most = 2**31 - 1
    for _ in range(3):
        increment(sql, user_id, "datasets", most)
        increment(sql, user_id, "predictions", most)

    assert usage_row(sql, user_id) == (3 * most, 0, 3 * most, month(sql))
    assert check(sql, user_id, "predictions") == (False, 0)
    assert check(sql, user_id, "datasets") == (False, 0)


def test_after_a_change_of_plan_the_marks_of_its_limit_are_published_too(
    sql: SqlConnection, user_id: UUID
) -> None:
    increment(sql, user_id, "trainings", 10)
    sql.execute("UPDATE profiles SET plan = 'pro' WHERE id = %s", [user_id])
    increment(sql, user_id, "trainings", 69)
    assert len(published(sql, user_id)) == 2

    increment(sql, user_id, "trainings", 1)
    sql.execute("UPDATE profiles SET plan = 'free' WHERE id = %s", [user_id])
    increment(sql, user_id, "trainings", 1)

    assert published(sql, user_id) == [
        ("usage.threshold_reached", "trainings", 80, 10, 10),
        ("usage.threshold_reached", "trainings", 80, 80, 100),
        ("usage.threshold_reached", "trainings", 100, 10, 10),
        ("usage.limit_exceeded", "trainings", None, 81, 10),
    ]


def test_a_profile_that_is_made_again_goes_on_in_its_month(
    sql: SqlConnection, user_id: UUID
) -> None:
    increment(sql, user_id, "trainings", 9)
    increment(sql, user_id, "datasets", 2)
    sql.execute("DELETE FROM profiles WHERE id = %s", [user_id])
    assert usage_row(sql, user_id) is None
    sql.execute("INSERT INTO profiles (id) VALUES (%s)", [user_id])

    assert check(sql, user_id, "trainings") == (True, 1)
    assert check(sql, user_id, "datasets") == (True, 3)
    assert check(sql, user_id, "predictions") == (True, 100)
    increment(sql, user_id, "trainings", 1)
    increment(sql, user_id, "datasets", -1)
    assert usage_row(sql, user_id) == (1, 10, 0, month(sql))
    assert published(sql, user_id) == [
        ("usage.threshold_reached", "trainings", 80, 9, 10),
        ("usage.threshold_reached", "trainings", 100, 10, 10),
    ]


def test_ids_of_increments_are_in_order_of_time(sql: SqlConnection, user_id: UUID) -> None:
    before = uuid7()
    increment(sql, user_id, "trainings", 8)
    after = uuid7()

    ((line,),) = sql.execute(
        "SELECT event_id FROM insights.usage_ledger WHERE user_id = %s", [user_id]
    )
    ((event,),) = sql.execute("SELECT id FROM insights.events WHERE user_id = %s", [user_id])
    for id_ in (line, event):
        assert id_.version == 7
        assert before.int >> 80 <= id_.int >> 80 <= after.int >> 80
