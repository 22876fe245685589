"""Publishing in SQL: the same guarantees as in Python."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import CheckViolation
from psycopg.types.json import Jsonb

from events import PredictionMade, named_id, uuid7
from runtime.assembly import Assembly
from tests.factories import publish_now
from tests.pipeline import Pipeline

Connection = psycopg.Connection[tuple[Any, ...]]

MADE = {"model_id": "m-1", "batch": True, "prediction_count": 3}
FOLLOWERS = "SELECT handler FROM insights.subscriptions WHERE event_type = 'prediction.made'"


@pytest.fixture
def sql(assembly: Assembly) -> Iterator[Connection]:
    url = assembly.settings.postgres_url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def published(sql: Connection, type_: str, data: Any, **given: Any) -> UUID:
    named = {"type": type_, "data": Jsonb(data), "user_id": uuid7()} | given
    arguments = ", ".join(f"{name} => %({name})s" for name in named)
    row = sql.execute(f"SELECT publish_event({arguments})".encode(), named).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def count(sql: Connection, table: str) -> int:
    row = sql.execute(f"SELECT count(*) FROM insights.{table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_an_event_published_in_sql_is_whole_and_is_handled(
    sql: Connection, pipeline: Pipeline, user_id: UUID
) -> None:
    id_ = published(sql, "prediction.made", MADE, user_id=user_id)

    row = sql.execute(
        "SELECT id, type, source, user_id, data, occurred_at = recorded_at, correlation_id"
        " FROM insights.events"
    ).fetchall()
    assert row == [(id_, "prediction.made", "sql", user_id, MADE, True, id_)]
    assert {each.handler for each in pipeline.owed()} == {
        name for (name,) in sql.execute(FOLLOWERS)
    }
    for _ in range(2):
        pipeline.work()
        pipeline.pass_time()
    assert pipeline.owed() == []
    assert sql.execute("SELECT predictions_this_month FROM usage_limits").fetchall() == [(3,)]


def test_publishing_an_id_twice_is_publishing_it_once(sql: Connection, pipeline: Pipeline) -> None:
    id_, owed = named_id("a foreign id"), len(sql.execute(FOLLOWERS).fetchall())

    assert published(sql, "prediction.made", MADE, id=id_) == id_
    assert published(sql, "prediction.made", MADE, id=id_) == id_

    assert (count(sql, "events"), len(pipeline.owed())) == (1, owed)


def test_sql_and_python_publish_the_same_id_once(
    sql: Connection, assembly: Assembly, user_id: UUID
) -> None:
    event = PredictionMade(user_id=user_id, model_id="m")

    assert publish_now(assembly, event) == {event.id}
    published(sql, "prediction.made", {"model_id": "m"}, id=event.id)

    assert count(sql, "events") == 1


def test_an_event_that_belongs_to_nobody_needs_no_user(sql: Connection) -> None:
    published(sql, "newsletter.subscribed", {"email": "ada@example.com"}, user_id=None)

    assert count(sql, "events") == 1


def test_optional_fields_may_be_null_or_left_out(sql: Connection) -> None:
    published(sql, "user.signed_up", {"email": "ada@example.com"})
    published(sql, "user.signed_up", {"email": "ada@example.com", "name": None})
    published(sql, "user.signed_up", {"email": "ada@example.com", "name": "Ada"})

    assert count(sql, "events") == 3


def test_a_plain_insert_of_many_rows_owes_for_each(sql: Connection, pipeline: Pipeline) -> None:
    sql.execute(
        "INSERT INTO insights.events (id, type, source, user_id, data)"
        " SELECT gen_random_uuid(), 'prediction.made', 'sql', gen_random_uuid(), %s"
        " FROM generate_series(1, 100)",
        [Jsonb(MADE)],
    )

    followers = [name for (name,) in sql.execute(FOLLOWERS)]
    owed = [each.handler for each in pipeline.owed()]
    assert {name: owed.count(name) for name in followers} == dict.fromkeys(followers, 100)
    assert len(owed) == 100 * len(followers)


def test_a_plain_insert_of_an_unknown_type_is_refused_with_all_its_rows(sql: Connection) -> None:
    with pytest.raises(CheckViolation, match='no event is called "prediction'):
        sql.execute(
            "INSERT INTO insights.events (id, type, source) VALUES"
            " (gen_random_uuid(), 'user.logged_in', 'sql'),"
            " (gen_random_uuid(), 'prediction.guessed', 'sql')"
        )

    assert (count(sql, "events"), count(sql, "deliveries")) == (0, 0)


def test_a_rollback_leaves_nothing(sql: Connection) -> None:
    with sql.transaction(force_rollback=True):
        published(sql, "prediction.made", MADE)
        assert count(sql, "deliveries") > 0

    assert (count(sql, "events"), count(sql, "deliveries")) == (0, 0)
