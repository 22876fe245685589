"""`GET /trainings/{id}/progress`: from Redis, or from the events themselves."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from events import (
    TrainingCancelled,
    TrainingCompleted,
    TrainingFailed,
    TrainingProgressed,
    TrainingRequested,
    TrainingStarted,
    uuid7,
)
from events.progress import TrainingProgress
from models.events import OF_TRAINING
from runtime.assembly import Assembly
from runtime.web import make_app
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from settings import Settings
from tests.factories import TRAINING_FIELDS, publish_now, training_event
from tests.pipeline import Pipeline
from tests.web.requests import KEY
from tests.web.silent_server import SilentServer

MANY_EVENTS = text("""
    INSERT INTO insights.events (id, type, source, user_id, data)
    SELECT gen_random_uuid(), 'training.progressed', 'sql', gen_random_uuid(),
           jsonb_build_object('training_id', 't-' || number / 20)
    FROM generate_series(1, 5000) number
""")


def test_the_state_is_that_of_redis(client: TestClient, assembly: Assembly) -> None:
    at = 1763803800123456
    ProgressBoard(TcpCommands(assembly.redis)).show(
        [TrainingProgress("t-1", 40.5, "Learning", "running", at)]
    )

    assert client.get("/trainings/t-1/progress").json() == {
        "training_id": "t-1",
        "progress": 40.5,
        "message": "Learning",
        "status": "running",
        "updated_at": 1763803800123,
        "version": at,
    }


def test_redis_and_the_events_give_the_same_state(
    client: TestClient, assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(assembly.handlers["progress"])
    for number, class_ in enumerate(TRAINING_FIELDS):
        publish_now(assembly, training_event(class_, number))
        from_events = client.get("/trainings/t-1/progress").json()
        pipeline.work()
        from_redis = client.get("/trainings/t-1/progress").json()
        assembly.redis.flushdb()
        assert from_events == from_redis


def test_it_comes_from_the_events_while_redis_is_down(
    without_redis: Settings, assembly: Assembly
) -> None:
    publish_now(assembly, training_event(TrainingStarted, 0), training_event(TrainingProgressed, 1))

    with TestClient(make_app(without_redis), headers=KEY) as client:
        answer = client.get("/trainings/t-1/progress")

    assert answer.status_code == 200
    assert (answer.json()["progress"], answer.json()["message"]) == (40, "Learning")


def test_the_first_end_stands_and_other_users_change_nothing(
    client: TestClient, assembly: Assembly
) -> None:
    publish_now(assembly, training_event(TrainingRequested, 0))
    publish_now(assembly, training_event(TrainingCompleted, 9, uuid7()))
    publish_now(assembly, training_event(TrainingProgressed, 3))
    assert client.get("/trainings/t-1/progress").json()["status"] == "running"

    # Recorded first, though the other happened first by its publisher's clock.
    publish_now(assembly, training_event(TrainingCancelled, 5))
    publish_now(assembly, training_event(TrainingFailed, 4), training_event(TrainingFailed, 6))
    assert client.get("/trainings/t-1/progress").json()["status"] == "cancelled"


def test_a_finished_training_stays_finished_whatever_comes_late(
    client: TestClient, assembly: Assembly
) -> None:
    late = [training_event(TrainingProgressed, 10 + second) for second in range(50)]
    publish_now(assembly, training_event(TrainingCancelled, 5), *late)

    assert client.get("/trainings/t-1/progress").json()["status"] == "cancelled"


@pytest.mark.parametrize(
    "left", [{"progress": "50"}, {"progress": "50", "message": "x", "updated_at": "1"}]
)
def test_an_incomplete_hash_is_ignored(
    client: TestClient, assembly: Assembly, left: dict[Any, Any]
) -> None:
    assembly.redis.hset("training:t-1", mapping=left)

    assert client.get("/trainings/t-1/progress").status_code == 404

    publish_now(assembly, training_event(TrainingStarted, 0))
    assert client.get("/trainings/t-1/progress").json()["message"] == "Started"


def test_an_event_that_does_not_fit_its_type_is_ignored(
    client: TestClient, assembly: Assembly
) -> None:
    publish_now(assembly, training_event(TrainingStarted, 0))
    with assembly.engine.begin() as connection:
        wrong = text("""
            INSERT INTO insights.events (id, type, source, data) VALUES
            (gen_random_uuid(), 'training.progressed', 'sql', '{"training_id": "t-1"}')
        """)
        connection.execute(wrong)

    assert client.get("/trainings/t-1/progress").json()["message"] == "Started"


def test_an_unknown_training_is_not_found(client: TestClient) -> None:
    answer = client.get("/trainings/t-1/progress")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_id_that_no_training_can_have_is_refused(client: TestClient) -> None:
    assert client.get("/trainings/a%20b/progress").status_code == 422


def test_without_redis_and_database_the_answer_is_503(
    without_redis: Settings, without_database: Settings
) -> None:
    nothing = without_redis.model_copy(update={"database_url": without_database.database_url})

    with TestClient(make_app(nothing), headers=KEY) as client:
        assert client.get("/trainings/t-1/progress").status_code == 503


def test_the_events_of_a_training_are_found_by_their_index(assembly: Assembly) -> None:
    with assembly.engine.connect() as connection:
        # Of an empty table any plan is as good as another.
        connection.execute(MANY_EVENTS)
        connection.execute(text("ANALYZE insights.events"))
        explain = text("EXPLAIN " + OF_TRAINING.text)
        types = [class_.type for class_ in TRAINING_FIELDS]
        given = {"id": "t-1", "types": types, "ends": types[-3:], "at_most": 20}
        plan = connection.scalars(explain, given).all()
        connection.rollback()

    assert any("events_of_training" in line for line in plan)
    assert not any("Seq Scan on events" in line for line in plan)


steps = st.lists(
    st.tuples(st.sampled_from(list(TRAINING_FIELDS)), st.integers(0, 3)), min_size=1, max_size=8
)


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps, data=st.data())
def test_any_order_of_events_leads_to_the_same_state_in_redis_and_from_events(
    client: TestClient, assembly: Assembly, steps: list[Any], data: st.DataObject
) -> None:
    training_id = f"t-{uuid7()}"
    published = [training_event(each, at, training_id=training_id) for each, at in steps]
    publish_now(assembly, *published)
    from_events = client.get(f"/trainings/{training_id}/progress").json()
    shown = data.draw(st.permutations(published))
    assembly.handlers["progress"](shown, assembly.services, [""] * len(shown))
    from_redis = client.get(f"/trainings/{training_id}/progress").json()

    assert from_events == from_redis


def test_of_many_who_read_one_a_second_waits_for_a_redis_that_hangs(
    assembly: Assembly, silent: SilentServer
) -> None:
    publish_now(assembly, training_event(TrainingStarted, 0))
    settings = assembly.settings.model_copy(update={"redis_url": silent.as_redis})
    with TestClient(make_app(settings), headers=KEY) as client:
        client.get("/trainings/t-1/progress")
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(client.get, ["/trainings/t-1/progress"] * 40))

    assert {each.json()["status"] for each in answers} == {"running"}
    # Each that asked Redis would hold a thread for a second, and publishers need those threads.
    assert silent.connections <= 2 + round(time.monotonic() - began)
