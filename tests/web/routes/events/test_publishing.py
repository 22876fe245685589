"""`POST /events`: attributes, batches, and what happens while a server is down."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from pydantic import SecretStr
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.web import make_app
from services.redis.doorbell import RELAY, Listener
from settings import Settings
from tests.services.redis.stand_ins import hanging_redis
from tests.web.requests import BATCHED, KEY, STRUCTURED, cloud_event, stored_events, until


def test_each_attribute_has_its_place_in_the_event(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    correlation, causation = uuid4(), uuid4()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event = cloud_event(
        user_id,
        time="2026-03-01T10:00:00.123456789+02:00",
        correlationid=str(correlation),
        causationid=str(causation),
        traceparent=trace,
        dataschema="https://example.com/schema",
        datacontenttype="application/json; charset=utf-8",
        partitionkey="ignored",
        unknown=5,
    )

    client.post("/events", json=event, headers=STRUCTURED)

    (row,) = stored_events(assembly)
    assert row.occurred_at.isoformat() == "2026-03-01T08:00:00.123456+00:00"
    assert (row.type, row.source, row.user_id) == ("prediction.made", "/platform", user_id)
    assert (row.correlation_id, row.causation_id) == (correlation, causation)
    assert row.traceparent == trace
    assert row.data == {"model_id": "m-1", "batch": False, "prediction_count": 3}


def test_with_the_extension_userid_the_subject_may_be_anything(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    event = cloud_event(user_id, subject="models/m-1", userid=str(user_id))

    assert client.post("/events", json=event, headers=STRUCTURED).status_code == 202

    assert stored_events(assembly)[0].user_id == user_id


def test_an_event_that_belongs_to_no_user_needs_no_subject(
    client: TestClient, assembly: Assembly
) -> None:
    event = {
        "specversion": "1.0",
        "id": "n-1",
        "source": "/site",
        "type": "newsletter.subscribed",
        "data": {"email": "Ada@Example.com"},
    }

    assert client.post("/events", json=event, headers=STRUCTURED).status_code == 202

    (row,) = stored_events(assembly)
    assert row.user_id is None
    assert row.data == {"email": "ada@example.com"}


def test_one_wrong_event_stops_its_whole_batch(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    batch = [cloud_event(user_id, id="1"), cloud_event(user_id, id="2", data={})]

    answer = client.post("/events", json=batch, headers=BATCHED)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"index": 1, "field": "data.model_id", "detail": "is missing"}
    ]
    assert stored_events(assembly) == []


def test_a_batch_may_be_empty_and_have_a_thousand_events_but_no_more(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    many = [cloud_event(user_id, id=str(number)) for number in range(1001)]

    assert client.post("/events", json=[], headers=BATCHED).json() == {"ids": []}
    assert client.post("/events", json=many[:1000], headers=BATCHED).status_code == 202
    answer = client.post("/events", json=many, headers=BATCHED)

    assert answer.status_code == 413
    assert answer.json()["detail"] == "A batch may have at most 1,000 events."
    assert len(stored_events(assembly)) == 1000


def test_a_clock_may_be_five_minutes_fast(client: TestClient, user_id: UUID) -> None:
    for minutes, status in ((4, 202), (6, 422)):
        time = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        event = cloud_event(user_id, id=str(minutes), time=time)
        assert client.post("/events", json=event, headers=STRUCTURED).status_code == status


def test_the_relay_is_woken_after_the_commit(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    listener = Listener(assembly.settings.redis, [RELAY])
    listener.start()
    until(listener.bells[RELAY].is_set)
    listener.bells[RELAY].clear()

    client.post("/events", json=cloud_event(user_id), headers=STRUCTURED)

    assert listener.bells[RELAY].wait(5)
    listener.stop()
    listener.join()


def test_events_are_accepted_while_redis_is_down(
    without_redis: Settings, assembly: Assembly, user_id: UUID
) -> None:
    with TestClient(make_app(without_redis), headers=KEY) as client:
        answer = client.post("/events", json=cloud_event(user_id), headers=STRUCTURED)

    assert answer.status_code == 202
    assert len(stored_events(assembly)) == 1


def test_a_redis_that_hangs_holds_up_one_request_a_second_at_most(
    assembly: Assembly, user_id: UUID
) -> None:
    with hanging_redis() as url:
        settings = assembly.settings.model_copy(update={"redis_url": SecretStr(url)})
        with TestClient(make_app(settings), headers=KEY) as client:
            began = time.monotonic()
            for number in range(60):
                event = cloud_event(user_id, id=str(number))
                answer = client.post("/events", json=event, headers=STRUCTURED)
                assert answer.status_code == 202
            took = time.monotonic() - began

    # The rate limit asks Redis: the first request, and one a second after a second without.
    assert took < 10


def test_without_the_database_the_answer_is_503(without_database: Settings, user_id: UUID) -> None:
    with TestClient(make_app(without_database), headers=KEY) as client:
        answer = client.post("/events", json=cloud_event(user_id), headers=STRUCTURED)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_type_that_the_database_does_not_know_yet_asks_for_a_migration(
    assembly: Assembly, user_id: UUID
) -> None:
    settings = assembly.settings.model_copy(update={"extra_packages": ("tests.web.extra_events",)})
    with TestClient(make_app(settings), headers=KEY) as client:
        event = cloud_event(user_id, type="parcel.sent", data={})
        answer = client.post("/events", json=event, headers=STRUCTURED)
        ready = client.get("/readyz")

    assert answer.status_code == 503
    assert "insights migrate" in answer.json()["detail"]
    assert ready.status_code == 503
    assert [each["field"] for each in ready.json()["errors"]] == ["event_types"]
    assert stored_events(assembly) == []
