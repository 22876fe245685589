"""`POST /events`: all or nothing, and once."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from events import named_id, uuid7
from runtime.assembly import Assembly
from services.redis.doorbell import RELAY, Listener
from settings import Settings
from tests.web.requests import BATCHED, KEY, STRUCTURED, cloud_event, events_in, until
from web.app import create_app


def test_the_answer_tells_the_ids_under_which_events_are_remembered(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    own_id = uuid7()
    batch = [cloud_event(user_id, id=str(own_id)), cloud_event(user_id, id="order 9/é")]

    answer = client.post("/events", content=json.dumps(batch), headers=BATCHED)

    assert answer.status_code == 202
    assert answer.json() == {"ids": [str(own_id), str(named_id("/platform", "order 9/é"))]}
    assert {str(row.id) for row in events_in(assembly)} == set(answer.json()["ids"])


def test_publishing_again_answers_the_same_and_changes_nothing(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    event = cloud_event(user_id)
    first = client.post("/events", json=event, headers=STRUCTURED)
    before = events_in(assembly)

    again = client.post("/events", json=event, headers=STRUCTURED)
    among_new = client.post(
        "/events", json=[event, cloud_event(user_id, id="p-2")], headers=BATCHED
    )

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert among_new.json()["ids"][0] == first.json()["ids"][0]
    assert events_in(assembly)[:1] == before
    assert len(events_in(assembly)) == 2


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

    (row,) = events_in(assembly)
    assert row.occurred_at.isoformat() == "2026-03-01T08:00:00.123456+00:00"
    assert (row.type, row.source, row.user_id) == ("prediction.made", "/platform", user_id)
    assert (row.correlation_id, row.causation_id) == (correlation, causation)
    assert row.traceparent == trace
    assert row.data == {"model_id": "m-1", "batch": False, "prediction_count": 3}


def test_the_extension_userid_frees_the_subject_for_other_things(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    event = cloud_event(user_id, subject="models/m-1", userid=str(user_id))

    assert client.post("/events", json=event, headers=STRUCTURED).status_code == 202

    assert events_in(assembly)[0].user_id == user_id


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

    (row,) = events_in(assembly)
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
    assert events_in(assembly) == []


def test_a_batch_may_be_empty_and_have_a_thousand_events_but_no_more(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    many = [cloud_event(user_id, id=str(number)) for number in range(1001)]

    assert client.post("/events", json=[], headers=BATCHED).json() == {"ids": []}
    assert client.post("/events", json=many[:1000], headers=BATCHED).status_code == 202
    answer = client.post("/events", json=many, headers=BATCHED)

    assert answer.status_code == 413
    assert answer.json()["detail"] == "A batch may have at most 1,000 events."
    assert len(events_in(assembly)) == 1000


def test_an_id_twice_in_one_batch_is_refused(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    batch = [cloud_event(user_id, id=id_) for id_ in ("a", "b", "a")]

    answer = client.post("/events", json=batch, headers=BATCHED)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"index": 2, "field": "id", "detail": "is also the id of event 0 of this batch"}
    ]


@pytest.mark.parametrize("other", [{"source": "/elsewhere"}, {"type": "prediction.requested"}])
def test_a_uuid_that_another_source_or_type_used_is_refused_rather_than_lost(
    client: TestClient, assembly: Assembly, user_id: UUID, other: dict[str, Any]
) -> None:
    event = cloud_event(user_id, id=str(uuid4()))
    client.post("/events", json=event, headers=STRUCTURED)

    answer = client.post("/events", json=[cloud_event(user_id), event | other], headers=BATCHED)

    assert answer.status_code == 409
    assert [(each["index"], each["field"]) for each in answer.json()["errors"]] == [(1, "id")]
    assert len(events_in(assembly)) == 1


def test_the_same_name_of_two_sources_makes_two_events(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    batch = [cloud_event(user_id, source=source) for source in ("/a", "/b")]

    assert client.post("/events", json=batch, headers=BATCHED).status_code == 202

    assert len(events_in(assembly)) == 2


def test_a_hash_that_looks_like_a_uuid_without_dashes_is_a_name(
    client: TestClient, user_id: UUID
) -> None:
    name = "d41d8cd98f00b204e9800998ecf8427e"

    answer = client.post("/events", json=cloud_event(user_id, id=name), headers=STRUCTURED)

    assert answer.json() == {"ids": [str(named_id("/platform", name))]}


def test_a_clock_may_be_five_minutes_fast(client: TestClient, user_id: UUID) -> None:
    for minutes, status in ((4, 202), (6, 422)):
        time = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        event = cloud_event(user_id, id=str(minutes), time=time)
        assert client.post("/events", json=event, headers=STRUCTURED).status_code == status


def test_the_same_batch_in_any_order_from_many_at_once_is_published_once(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    batch = [cloud_event(user_id, id=str(number)) for number in range(300)]

    def send(seed: int) -> int:
        order = random.Random(seed).sample(batch, len(batch))
        return client.post("/events", json=order, headers=BATCHED).status_code

    with ThreadPoolExecutor(8) as senders:
        assert set(senders.map(send, range(24))) == {202}

    assert len(events_in(assembly)) == 300


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


def test_events_are_taken_while_redis_is_down(
    without_redis: Settings, assembly: Assembly, user_id: UUID
) -> None:
    with TestClient(create_app(without_redis), headers=KEY) as client:
        answer = client.post("/events", json=cloud_event(user_id), headers=STRUCTURED)

    assert answer.status_code == 202
    assert len(events_in(assembly)) == 1


def test_a_database_that_is_away_is_told_as_such(without_database: Settings, user_id: UUID) -> None:
    with TestClient(create_app(without_database), headers=KEY) as client:
        answer = client.post("/events", json=cloud_event(user_id), headers=STRUCTURED)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_type_that_the_database_does_not_know_yet_asks_for_a_migration(
    assembly: Assembly, user_id: UUID
) -> None:
    settings = assembly.settings.model_copy(update={"extra_packages": ("tests.web.extra_events",)})
    with TestClient(create_app(settings), headers=KEY) as client:
        event = cloud_event(user_id, type="parcel.sent", data={})
        answer = client.post("/events", json=event, headers=STRUCTURED)
        ready = client.get("/readyz")

    assert answer.status_code == 503
    assert "insights migrate" in answer.json()["detail"]
    assert ready.status_code == 503
    assert [each["field"] for each in ready.json()["errors"]] == ["event_types"]
    assert events_in(assembly) == []
