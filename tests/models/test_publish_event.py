"""Publishing in SQL gives the same guarantees as publishing in Python."""

from typing import Any
from uuid import RFC_4122, UUID

import pytest
from psycopg.errors import CheckViolation
from psycopg.types.json import Jsonb

from events import PredictionMade, named_id, uuid7
from runtime.assembly import Assembly
from tests.factories import publish_now
from tests.models.conftest import SqlConnection
from tests.pipeline import Pipeline

pytestmark = pytest.mark.usefixtures("assembly")

MADE = {"model_id": "m-1", "batch": True, "prediction_count": 3}
SUBSCRIBERS = "SELECT handler FROM insights.subscriptions WHERE event_type = 'prediction.made'"


def publish_in_sql(sql: SqlConnection, type_: str, data: Any, **given: Any) -> UUID:
    named = {"type": type_, "data": Jsonb(data), "user_id": uuid7()} | given
    arguments = ", ".join(f"{name} => %({name})s" for name in named)
    row = sql.execute(f"SELECT publish_event({arguments})".encode(), named).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def count(sql: SqlConnection, table: str) -> int:
    row = sql.execute(f"SELECT count(*) FROM insights.{table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_an_event_published_in_sql_is_whole_and_is_handled(
    sql: SqlConnection, pipeline_with_doubles: Pipeline, user_id: UUID
) -> None:
    id_ = publish_in_sql(sql, "prediction.made", MADE, user_id=user_id)

    row = sql.execute(
        "SELECT id, type, source, user_id, data, recorded_at - occurred_at < '1 s', correlation_id"
        " FROM insights.events"
    ).fetchall()
    assert row == [(id_, "prediction.made", "sql", user_id, MADE, True, id_)]
    assert {each.handler for each in pipeline_with_doubles.owed()} == {
        name for (name,) in sql.execute(SUBSCRIBERS)
    }
    for _ in range(2):
        pipeline_with_doubles.work()
        pipeline_with_doubles.pass_time()
    assert pipeline_with_doubles.owed() == []
    assert sql.execute("SELECT predictions_this_month FROM usage_limits").fetchall() == [(3,)]


def test_publishing_an_id_twice_is_publishing_it_once(
    sql: SqlConnection, pipeline_with_doubles: Pipeline
) -> None:
    id_, owed = named_id("a foreign id"), len(sql.execute(SUBSCRIBERS).fetchall())

    assert publish_in_sql(sql, "prediction.made", MADE, id=id_) == id_
    assert publish_in_sql(sql, "prediction.made", MADE, id=id_) == id_

    assert (count(sql, "events"), len(pipeline_with_doubles.owed())) == (1, owed)


def test_an_event_that_was_deleted_while_it_is_owed_may_be_published_again(
    sql: SqlConnection, pipeline_with_doubles: Pipeline
) -> None:
    id_, owed = named_id("deleted by an operator"), len(sql.execute(SUBSCRIBERS).fetchall())
    publish_in_sql(sql, "prediction.made", MADE, id=id_)
    sql.execute("DELETE FROM insights.events")

    publish_in_sql(sql, "prediction.made", MADE, id=id_)

    assert (count(sql, "events"), len(pipeline_with_doubles.owed())) == (1, owed)


def test_sql_and_python_publish_the_same_id_once(
    sql: SqlConnection, assembly: Assembly, user_id: UUID
) -> None:
    event = PredictionMade(user_id=user_id, model_id="m")

    assert publish_now(assembly, event) == {event.id}
    publish_in_sql(sql, "prediction.made", {"model_id": "m"}, id=event.id)

    assert count(sql, "events") == 1


def test_an_event_type_without_a_user_needs_none(sql: SqlConnection) -> None:
    publish_in_sql(sql, "newsletter.subscribed", {"email": "ada@example.com"}, user_id=None)

    assert count(sql, "events") == 1


def test_optional_fields_may_be_null_or_left_out(sql: SqlConnection) -> None:
    publish_in_sql(sql, "user.signed_up", {"email": "ada@example.com"})
    publish_in_sql(sql, "user.signed_up", {"email": "ada@example.com", "name": None})
    publish_in_sql(sql, "user.signed_up", {"email": "ada@example.com", "name": "Ada"})

    assert count(sql, "events") == 3


def test_a_plain_insert_fans_out_each_of_its_rows(
    sql: SqlConnection, pipeline_with_doubles: Pipeline
) -> None:
    sql.execute(
        "INSERT INTO insights.events (id, type, source, user_id, data)"
        " SELECT gen_random_uuid(), 'prediction.made', 'sql', gen_random_uuid(), %s"
        " FROM generate_series(1, 100)",
        [Jsonb(MADE)],
    )

    subscribers = [name for (name,) in sql.execute(SUBSCRIBERS)]
    owed = [each.handler for each in pipeline_with_doubles.owed()]
    assert {name: owed.count(name) for name in subscribers} == dict.fromkeys(subscribers, 100)
    assert len(owed) == 100 * len(subscribers)


def test_a_plain_insert_of_an_unknown_type_is_refused_with_all_its_rows(sql: SqlConnection) -> None:
    with pytest.raises(CheckViolation, match='no event is called "prediction'):
        sql.execute(
            "INSERT INTO insights.events (id, type, source) VALUES"
            " (gen_random_uuid(), 'user.logged_in', 'sql'),"
            " (gen_random_uuid(), 'prediction.guessed', 'sql')"
        )

    assert (count(sql, "events"), count(sql, "deliveries")) == (0, 0)


def test_a_rollback_leaves_nothing(sql: SqlConnection) -> None:
    with sql.transaction(force_rollback=True):
        publish_in_sql(sql, "prediction.made", MADE)
        assert count(sql, "deliveries") > 0

    assert (count(sql, "events"), count(sql, "deliveries")) == (0, 0)


def test_ids_that_sql_makes_are_in_order_of_time_as_those_of_python(sql: SqlConnection) -> None:
    """RFC 9562: version 7 begins with 48 bits of milliseconds; the rest is random."""
    before = uuid7().int >> 80
    ids = [publish_in_sql(sql, "prediction.made", MADE) for _ in range(50)]
    after = uuid7().int >> 80

    assert {(id_.version, id_.variant) for id_ in ids} == {(7, RFC_4122)}
    times = [id_.int >> 80 for id_ in ids]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] <= after
    assert len({id_.int & (1 << 74) - 1 for id_ in ids}) == len(ids)
