"""`GET /trainings/{id}/progress`: from Redis, or from the events themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from events import (
    Event,
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
    uuid7,
)
from events.progress import progress_after_event
from runtime.assembly import Assembly
from services.redis.progress import Progress, ProgressBoard
from services.redis.tcp import TcpCommands
from settings import Settings
from tests.factories import publish_now
from tests.pipeline import Pipeline
from tests.web.requests import KEY
from web.app import create_app

START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FIELDS: dict[type[Event], dict[str, Any]] = {
    TrainingRequested: {"dataset_id": "d", "target": "y", "model_name": "n"},
    TrainingStarted: {
        "dataset_id": "d",
        "algorithm": "a",
        "problem_type": "regression",
        "dataset_size": 5,
    },
    TrainingProgressed: {"progress": 40, "message": "Learning"},
    TrainingCompleted: {
        "model_id": "m",
        "model_name": "n",
        "algorithm": "a",
        "problem_type": "regression",
        "duration_seconds": 1,
    },
    TrainingFailed: {"reason": "The file is empty."},
    TrainingCancelled: {},
}


def told(class_: type[Event], second: float, user_id: UUID | None = None, **fields: Any) -> Event:
    """An event of the training t-1, so many seconds after its start."""
    at = START + timedelta(seconds=second)
    fields = FIELDS[class_] | {"training_id": "t-1"} | fields
    return class_(user_id=user_id or uuid7(), occurred_at=at, **fields)


def test_the_state_is_that_of_redis(client: TestClient, assembly: Assembly) -> None:
    at = 1763803800123456
    ProgressBoard(TcpCommands(assembly.redis)).show(
        [Progress("t-1", 40.5, "Learning", "running", at)]
    )

    assert client.get("/trainings/t-1/progress").json() == {
        "training_id": "t-1",
        "progress": 40.5,
        "message": "Learning",
        "status": "running",
        "updated_at": 1763803800123,
        "version": at,
    }


def test_redis_and_the_events_tell_the_same(
    client: TestClient, assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(assembly.handlers["progress"])
    for number, class_ in enumerate(FIELDS):
        publish_now(assembly, told(class_, number))
        from_events = client.get("/trainings/t-1/progress").json()
        pipeline.work()
        from_redis = client.get("/trainings/t-1/progress").json()
        assembly.redis.flushdb()
        assert from_events == from_redis


def test_the_events_tell_it_while_redis_is_down(
    without_redis: Settings, assembly: Assembly
) -> None:
    publish_now(assembly, told(TrainingStarted, 0), told(TrainingProgressed, 1))

    with TestClient(create_app(without_redis), headers=KEY) as client:
        answer = client.get("/trainings/t-1/progress")

    assert answer.status_code == 200
    assert (answer.json()["progress"], answer.json()["message"]) == (40, "Learning")


def test_a_finished_training_stays_finished_however_much_news_comes_late(
    client: TestClient, assembly: Assembly
) -> None:
    late = [told(TrainingProgressed, 10 + second) for second in range(50)]
    publish_now(assembly, told(TrainingCancelled, 5), *late)

    assert client.get("/trainings/t-1/progress").json()["status"] == "cancelled"


@pytest.mark.parametrize(
    "left", [{"progress": "50"}, {"progress": "50", "message": "x", "updated_at": "1"}]
)
def test_a_hash_that_somebody_left_incomplete_is_passed_over(
    client: TestClient, assembly: Assembly, left: dict[Any, Any]
) -> None:
    assembly.redis.hset("training:t-1", mapping=left)

    assert client.get("/trainings/t-1/progress").status_code == 404

    publish_now(assembly, told(TrainingStarted, 0))
    assert client.get("/trainings/t-1/progress").json()["message"] == "Started"


def test_an_event_that_does_not_fit_its_type_is_passed_over(
    client: TestClient, assembly: Assembly
) -> None:
    publish_now(assembly, told(TrainingStarted, 0))
    with assembly.engine.begin() as connection:
        wrong = text("""
            INSERT INTO insights.events (id, type, source, data) VALUES
            (gen_random_uuid(), 'training.progressed', 'sql', '{"training_id": "t-1"}')
        """)
        connection.execute(wrong)

    assert client.get("/trainings/t-1/progress").json()["message"] == "Started"


def test_a_training_of_which_nothing_is_known_is_not_found(client: TestClient) -> None:
    answer = client.get("/trainings/t-1/progress")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_id_that_no_training_can_have_is_refused(client: TestClient) -> None:
    assert client.get("/trainings/a%20b/progress").status_code == 422


def test_neither_redis_nor_database_is_told_as_such(
    without_redis: Settings, without_database: Settings
) -> None:
    nothing = without_redis.model_copy(update={"database_url": without_database.database_url})

    with TestClient(create_app(nothing), headers=KEY) as client:
        assert client.get("/trainings/t-1/progress").status_code == 503


def test_the_events_of_a_training_are_found_by_their_index(assembly: Assembly) -> None:
    from web.routes.trainings.progress import TOLD  # noqa: PLC0415

    with assembly.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = text("EXPLAIN " + TOLD.text)
        plan = connection.scalars(explain, {"id": "t-1", "types": [], "ends": []}).all()

    assert any("events_of_training" in line for line in plan)


steps = st.lists(
    st.tuples(st.sampled_from(list(FIELDS)), st.integers(0, 3)), min_size=1, max_size=8
)


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(orders=steps.flatmap(lambda each: st.tuples(st.just(each), st.permutations(each))))
def test_any_order_of_news_leads_redis_and_the_events_to_the_same_state(
    client: TestClient, assembly: Assembly, orders: tuple[list[Any], list[Any]]
) -> None:
    training_id = f"t-{uuid7()}"
    published, shown = (
        [told(class_, second, training_id=training_id) for class_, second in order]
        for order in orders
    )
    publish_now(assembly, *published)
    from_events = client.get(f"/trainings/{training_id}/progress").json()
    ProgressBoard(TcpCommands(assembly.redis)).show(
        [Progress(*progress_after_event(each)) for each in shown]
    )
    from_redis = client.get(f"/trainings/{training_id}/progress").json()

    assert from_events == from_redis
