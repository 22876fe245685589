"""`increment_usage` and `check_limit`, which the platform calls by RPC."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from psycopg.errors import ForeignKeyViolation, InvalidParameterValue

from events import uuid7
from runtime.assembly import Assembly
from tests.factories import sign_up
from tests.models.conftest import SqlConnection
from tests.models.usage_rpc import check, increment, month, published, usage_row


@pytest.fixture
def user_id(shared: Assembly) -> UUID:
    """A new user on the free plan, beside those of other tests."""
    return sign_up(shared)


def use_in_month(sql: SqlConnection, user: UUID, ahead: int) -> None:
    """Give the user a row of the month that is `ahead` of this one, with something used there."""
    sql.execute(
        "INSERT INTO usage_limits (user_id, datasets_count, trainings_this_month,"
        " predictions_this_month, month_year) VALUES (%s, 2, 9, 99, %s)",
        [user, month(sql, ahead)],
    )


def test_incrementing_counts_in_this_month(sql: SqlConnection, user_id: UUID) -> None:
    increment(sql, user_id, "trainings", 3)
    increment(sql, user_id, "trainings", 1)
    increment(sql, user_id, "datasets", 2)
    increment(sql, user_id, "datasets", -1)
    increment(sql, user_id, "predictions", 0)

    assert usage_row(sql, user_id) == (1, 4, 0, month(sql))
    assert check(sql, user_id, "trainings") == (True, 6)
    assert check(sql, user_id, "datasets") == (True, 4)
    assert check(sql, user_id, "predictions") == (True, 100)


def test_a_new_month_begins_at_nothing_but_keeps_the_data_sets(
    sql: SqlConnection, user_id: UUID
) -> None:
    use_in_month(sql, user_id, -1)

    assert check(sql, user_id, "trainings") == (True, 10)
    assert check(sql, user_id, "predictions") == (True, 100)
    assert check(sql, user_id, "datasets") == (True, 3)
    increment(sql, user_id, "trainings", 1)
    assert usage_row(sql, user_id) == (2, 1, 0, month(sql))
    assert check(sql, user_id, "trainings") == (True, 9)


def test_a_row_that_is_already_in_the_next_month_loses_nothing(
    sql: SqlConnection, user_id: UUID
) -> None:
    """As when a publisher's clock is ahead at the month's end."""
    use_in_month(sql, user_id, 1)

    assert check(sql, user_id, "trainings") == (True, 10)
    increment(sql, user_id, "trainings", 8)
    assert usage_row(sql, user_id) == (2, 9, 99, month(sql, 1))
    assert check(sql, user_id, "trainings") == (True, 2)
    assert check(sql, user_id, "datasets") == (True, 3)
    assert published(sql, user_id) == [("usage.threshold_reached", "trainings", 80, 8, 10)]


@pytest.mark.parametrize(
    ("plan", "resource", "remaining"),
    [
        ("free", "datasets", 5),
        ("free", "trainings", 10),
        ("free", "predictions", 100),
        ("pro", "datasets", None),
        ("pro", "trainings", 100),
        ("pro", "predictions", 5000),
        ("enterprise", "datasets", None),
        ("enterprise", "trainings", None),
        ("enterprise", "predictions", None),
    ],
)
def test_each_plan_has_its_limits_and_unlimited_is_null(
    sql: SqlConnection, shared: Assembly, plan: str, resource: str, remaining: int | None
) -> None:
    assert check(sql, sign_up(shared, plan), resource) == (True, remaining)


def test_unlimited_stays_allowed_and_is_never_marked(sql: SqlConnection, shared: Assembly) -> None:
    user = sign_up(shared, "enterprise")
    increment(sql, user, "predictions", 1_000_000)

    assert check(sql, user, "predictions") == (True, None)
    assert published(sql, user) == []


def test_what_is_used_up_is_not_allowed_and_what_remains_is_never_negative(
    sql: SqlConnection, user_id: UUID
) -> None:
    increment(sql, user_id, "datasets", 5)
    assert check(sql, user_id, "datasets") == (False, 0)
    increment(sql, user_id, "datasets", 5)
    assert check(sql, user_id, "datasets") == (False, 0)
    increment(sql, user_id, "datasets", -20)
    assert check(sql, user_id, "datasets") == (True, 5)


def test_an_unknown_user_is_on_the_free_plan_and_has_used_nothing(sql: SqlConnection) -> None:
    assert check(sql, uuid7(), "trainings") == (True, 10)


def test_an_unknown_user_cannot_use_anything(sql: SqlConnection) -> None:
    with pytest.raises(ForeignKeyViolation, match="no profile has the id"):
        increment(sql, uuid7(), "trainings", 1)
    with pytest.raises(ForeignKeyViolation, match="no profile has the id"):
        increment(sql, None, "trainings", 1)


@pytest.mark.parametrize("resource", ["models", "Datasets", "", None])
def test_an_unknown_resource_is_an_error(sql: SqlConnection, user_id: UUID, resource: str) -> None:
    with pytest.raises(InvalidParameterValue, match="no resource is called"):
        increment(sql, user_id, resource, 1)
    with pytest.raises(InvalidParameterValue, match="no resource is called"):
        check(sql, user_id, resource)


@pytest.mark.parametrize(
    ("resource", "amount"),
    [("trainings", -1), ("predictions", -1), ("trainings", None), ("datasets", None)],
)
def test_what_is_counted_by_month_cannot_be_given_back(
    sql: SqlConnection, user_id: UUID, resource: str, amount: int | None
) -> None:
    with pytest.raises(InvalidParameterValue):
        increment(sql, user_id, resource, amount)

    assert usage_row(sql, user_id) is None


def test_each_mark_is_published_once_however_it_is_passed(
    sql: SqlConnection, user_id: UUID
) -> None:
    for _ in range(12):
        increment(sql, user_id, "trainings", 1)
    increment(sql, user_id, "predictions", 150)

    # In any order: ids of one millisecond are in none.
    assert sorted(published(sql, user_id), key=str) == [
        ("usage.limit_exceeded", "predictions", None, 150, 100),
        ("usage.limit_exceeded", "trainings", None, 11, 10),
        ("usage.threshold_reached", "predictions", 100, 150, 100),
        ("usage.threshold_reached", "predictions", 80, 150, 100),
        ("usage.threshold_reached", "trainings", 100, 10, 10),
        ("usage.threshold_reached", "trainings", 80, 8, 10),
    ]


def test_a_count_that_is_rolled_back_leaves_nothing(sql: SqlConnection, user_id: UUID) -> None:
    with sql.transaction(force_rollback=True):
        increment(sql, user_id, "trainings", 10)

    assert usage_row(sql, user_id) is None
    assert published(sql, user_id) == []
    ledger = "SELECT FROM insights.usage_ledger WHERE user_id = %s"
    assert sql.execute(ledger, [user_id]).fetchall() == []


def test_the_month_is_that_of_utc_wherever_the_session_is(
    sql: SqlConnection, user_id: UUID
) -> None:
    here = datetime.now(UTC).strftime("%Y-%m")
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        sql.execute(f"SET timezone = '{zone}'".encode())
        increment(sql, user_id, "trainings", 1)

    assert usage_row(sql, user_id) == (0, 2, 0, here)
