"""Calls of `increment_usage` and `check_limit`, and what they left behind."""

from typing import Any
from uuid import UUID

from tests.models.conftest import SqlConnection

MONTH = "SELECT to_char(now() AT TIME ZONE 'UTC' + %s * interval '1 month', 'YYYY-MM')"
ROW = """
    SELECT datasets_count, trainings_this_month, predictions_this_month, month_year
    FROM usage_limits WHERE user_id = %s
"""
PUBLISHED = """
    SELECT type, data ->> 'resource', (data -> 'threshold')::int, (data -> 'current')::int,
           (data -> 'limit')::int
    FROM insights.events WHERE user_id = %s ORDER BY type DESC, 3
"""


def month(sql: SqlConnection, ahead: int = 0) -> str:
    """This month in UTC, or one before or after it."""
    ((name,),) = sql.execute(MONTH.encode(), [ahead]).fetchall()
    return str(name)


def increment(sql: SqlConnection, user: UUID | None, resource: str, amount: int | None) -> None:
    sql.execute("SELECT increment_usage(%s, %s, %s)", [user, resource, amount])


def check(sql: SqlConnection, user: UUID, resource: str) -> tuple[bool, int | None]:
    (row,) = sql.execute("SELECT * FROM check_limit(%s, %s)", [user, resource]).fetchall()
    return row[0], row[1]


def usage_row(sql: SqlConnection, user: UUID) -> tuple[Any, ...] | None:
    return sql.execute(ROW.encode(), [user]).fetchone()


def published(sql: SqlConnection, user: UUID) -> list[tuple[Any, ...]]:
    return sql.execute(PUBLISHED.encode(), [user]).fetchall()
