"""Migration 0007 takes over what was counted and which marks were passed before it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine

from events import uuid7
from runtime.migrate import alembic_config
from tests.factories import Servers, new_database
from tests.models.conftest import SqlConnection

ADA, BEA = uuid7(), uuid7()
EVENT = """
    INSERT INTO insights.events (id, type, source, user_id, data, occurred_at)
    VALUES (%s, %s, 'sql', %s, %s, now() + %s * interval '1 minute')
"""
COUNTED = """
    SELECT FROM insights.mark_usage(ARRAY(SELECT t::insights.usage_total FROM insights.count_usage(
        ARRAY[%s::uuid], ARRAY[%s::uuid], ARRAY['datasets'], ARRAY[%s::integer],
        ARRAY[now() + %s * interval '1 minute']) t))
"""
NAME_TYPES = """
    INSERT INTO insights.event_types (type, version, schema)
    SELECT t, 1, '{}' FROM unnest(ARRAY['dataset.uploaded', 'dataset.deleted',
        'usage.threshold_reached', 'usage.limit_exceeded']) t
"""
WARNING = """
    INSERT INTO insights.events (id, type, source, user_id, data) VALUES (%s,
        'usage.threshold_reached', 'insights', %s,
        '{"resource": "datasets", "month": "2025-03", "limit": 5, "current": 4, "threshold": 80}')
"""

MARKS = """
    INSERT INTO insights.usage_marks
    VALUES (%s, 'datasets', '2025-03', '80'), (%s, 'trainings', '2025-03', '100')
"""
MAIL = """
    INSERT INTO insights.emails (user_id, template, about, event_id, tried_at, sent_at)
    VALUES (%s, 'limit_warning', 'datasets 2025-03', %s, now(), %s::timestamptz)
"""
DATASETS = "SELECT user_id, dataset_id, is_there FROM insights.usage_datasets ORDER BY dataset_id"


def go(url: str, revision: str, *, up: bool = True) -> None:
    """Bring the tables of a database to a revision."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        (command.upgrade if up else command.downgrade)(alembic_config(connection), revision)
    engine.dispose()


@pytest.fixture
def before(servers: Servers) -> Iterator[tuple[str, SqlConnection]]:
    """A database of the release before, with Ada and Bea."""
    with new_database(servers.database_url) as url:
        go(url, "0006")
        with psycopg.connect(url, autocommit=True) as sql:
            sql.execute(NAME_TYPES.encode())
            sql.execute("INSERT INTO profiles (id) VALUES (%s), (%s)", [ADA, BEA])
            yield url, sql


def count(
    sql: SqlConnection, user: UUID, kind: str, dataset: str, minute: int, *, stored: bool = True
) -> None:
    """An event about a data set that the release before counted; maybe it was pruned since."""
    id_ = uuid7()
    if stored:
        data = f'{{"dataset_id": "{dataset}"}}'
        sql.execute(EVENT.encode(), [id_, f"dataset.{kind}", user, data, minute])
    sql.execute(COUNTED.encode(), [id_, user, 1 if kind == "uploaded" else -1, minute])


def counters(sql: SqlConnection) -> dict[UUID, int]:
    rows = sql.execute("SELECT user_id, datasets_count FROM usage_limits").fetchall()
    return dict(rows)


def all_of(sql: SqlConnection, query: str) -> list[tuple[Any, ...]]:
    return sql.execute(query.encode()).fetchall()


def test_data_sets_are_counted_by_the_ids_of_stored_events(
    before: tuple[str, SqlConnection],
) -> None:
    url, sql = before
    count(sql, ADA, "uploaded", "twice", 0)
    count(sql, ADA, "uploaded", "twice", 1)
    count(sql, ADA, "uploaded", "gone", 0)
    count(sql, ADA, "deleted", "gone", 1)
    count(sql, ADA, "deleted", "gone", 2)
    for _ in range(3):
        count(sql, BEA, "uploaded", "pruned", 0, stored=False)
    count(sql, BEA, "deleted", "pruned", 1)
    assert counters(sql) == {ADA: 1, BEA: 2}

    go(url, "0007")

    # Ada's wrong counts are put right; of Bea's data sets nobody knows the ids any more.
    assert counters(sql) == {ADA: 1, BEA: 2}
    assert all_of(sql, DATASETS) == [(ADA, "gone", False), (ADA, "twice", True)]
    count(sql, ADA, "deleted", "twice", 5)
    count(sql, ADA, "deleted", "gone", 5)
    count(sql, BEA, "uploaded", "new", 5)
    assert counters(sql) == {ADA: 0, BEA: 3}


def test_a_wrong_count_is_put_right(before: tuple[str, SqlConnection]) -> None:
    url, sql = before
    for minute in range(3):
        count(sql, ADA, "uploaded", "thrice", minute)
    assert counters(sql) == {ADA: 3}

    go(url, "0007")

    assert counters(sql) == {ADA: 1}


def test_marks_keep_the_limit_that_their_event_names_and_mails_are_not_sent_again(
    before: tuple[str, SqlConnection],
) -> None:
    url, sql = before
    warning = uuid7()
    sql.execute(WARNING.encode(), [warning, ADA])
    sql.execute(MARKS.encode(), [ADA, BEA])
    sql.execute(MAIL.encode(), [ADA, warning, "2025-03-04"])
    sql.execute("UPDATE profiles SET plan = 'pro'")

    go(url, "0007")

    marks = all_of(sql, 'SELECT user_id, "limit", mark FROM insights.usage_marks ORDER BY mark')
    assert marks == [(BEA, 100, "100"), (ADA, 5, "80")]
    assert all_of(sql, "SELECT about FROM insights.emails") == [("datasets 2025-03 of 5",)]

    go(url, "0006", up=False)
    assert all_of(sql, "SELECT about FROM insights.emails") == [("datasets 2025-03",)]
    assert len(all_of(sql, "SELECT * FROM insights.usage_marks")) == 2
    go(url, "0007")
    assert all_of(sql, "SELECT about FROM insights.emails") == [("datasets 2025-03 of 5",)]


def test_a_warning_of_which_nobody_knows_whether_it_was_sent_waits_for_an_operator(
    before: tuple[str, SqlConnection],
) -> None:
    """Its key at Loops names no limit, and the next try would have another one."""
    url, sql = before
    warning = uuid7()
    sql.execute(WARNING.encode(), [warning, ADA])
    sql.execute(MAIL.encode(), [ADA, warning, None])

    go(url, "0007")

    held = "SELECT about, held_at IS NOT NULL FROM insights.emails"
    assert all_of(sql, held) == [("datasets 2025-03 of 5", True)]


def test_down_and_up_again_counts_on(before: tuple[str, SqlConnection]) -> None:
    url, sql = before
    go(url, "0007")
    count(sql, ADA, "uploaded", "a", 0)
    go(url, "0006", up=False)
    count(sql, ADA, "uploaded", "b", 0)
    go(url, "0007")
    count(sql, ADA, "uploaded", "b", 1)
    count(sql, ADA, "uploaded", "c", 0)

    assert counters(sql) == {ADA: 3}
