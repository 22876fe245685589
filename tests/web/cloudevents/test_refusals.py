"""What `POST /events` refuses, and how it says so: by event and field, never the value."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from tests.web.requests import BATCHED, STRUCTURED, cloud_event, stored_events

SECRET = "ada-lovelace-born-1815"
USER = UUID("0198c0de-0000-7000-8000-0000000000aa")
LATER = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
MISSING = object()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": MISSING}, "specversion"),
        ({"id": MISSING}, "id"),
        ({"id": ""}, "id"),
        ({"id": 5}, "id"),
        ({"id": SECRET + "\n"}, "id"),
        ({"id": SECRET + "\u0000"}, "id"),
        ({"id": SECRET * 20}, "id"),
        ({"source": MISSING}, "source"),
        ({"source": SECRET * 20}, "source"),
        ({"type": MISSING}, "type"),
        ({"type": f"training.{SECRET}"}, "type"),
        ({"subject": MISSING}, "subject"),
        ({"subject": SECRET}, "subject"),
        ({"userid": SECRET}, "userid"),
        ({"time": SECRET}, "time"),
        ({"time": 1763800000}, "time"),
        ({"time": "1763800000"}, "time"),
        ({"time": "2026-11-22"}, "time"),
        ({"time": "2026-11-22T09:30:00"}, "time"),
        ({"time": "2026-13-22T09:30:00Z"}, "time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time"),
        ({"time": LATER}, "time"),
        ({"time": "9999-12-31T23:59:59-12:00"}, "time"),
        ({"time": "infinity"}, "time"),
        ({"time": "-infinity"}, "time"),
        ({"time": "9999-12-31T23:59:59-14:00"}, "time"),
        ({"correlationid": SECRET}, "correlationid"),
        ({"causationid": SECRET}, "causationid"),
        ({"traceparent": SECRET}, "traceparent"),
        ({"datacontenttype": "text/plain"}, "datacontenttype"),
        ({"data_base64": "e30="}, "data_base64"),
        ({"data": [SECRET]}, "data"),
        ({"data": SECRET}, "data"),
        ({"data": MISSING}, "data.model_id"),
        ({"data": {"model_id": "m", "user_id": SECRET}}, "data.user_id"),
        ({"data": {"model_id": "m", "id": SECRET}}, "data.id"),
        ({"data": {"model_id": "m", "name": SECRET}}, "data.name"),
        ({"data": {"model_id": SECRET + " "}}, "data.model_id"),
        ({"data": {"model_id": "m", "prediction_count": "3"}}, "data.prediction_count"),
        ({"data": {"model_id": "m", "prediction_count": True}}, "data.prediction_count"),
        ({"data": {"model_id": "m", "prediction_count": -1}}, "data.prediction_count"),
        ({"data": {"model_id": "m", "prediction_count": 10**30}}, "data.prediction_count"),
        ({"data": {"model_id": "m", "batch": "yes"}}, "data.batch"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    shared_client: TestClient, change: dict[str, Any], field: str
) -> None:
    event = {
        name: value for name, value in cloud_event(USER, **change).items() if value is not MISSING
    }

    answer = shared_client.post("/events", json=event, headers=STRUCTURED)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [(each["index"], each["field"]) for each in answer.json()["errors"]] == [(0, field)]
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("hyperparameters", "field"),
    [
        ('{"a": ["x", "nul \\u0000"]}', "data.hyperparameters.a.1"),
        ('{"nul \\u0000": 1}', "data.hyperparameters"),
        ('{"a": 1e400}', "data.hyperparameters.a"),
        ('{"a": -1e400}', "data.hyperparameters.a"),
        ('{"a": {"b": 9007199254740993}}', "data.hyperparameters.a.b"),
    ],
)
def test_what_a_database_cannot_keep_is_refused_wherever_it_stands(
    shared_client: TestClient, hyperparameters: str, field: str
) -> None:
    data = {"training_id": "t", "dataset_id": "d", "target": "y", "model_name": "n"}
    event = cloud_event(USER, type="training.requested", data=data | {"hyperparameters": "X"})

    body = json.dumps(event).replace('"X"', hyperparameters)
    answer = shared_client.post("/events", content=body, headers=STRUCTURED)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 10_000,
    ],
)
@pytest.mark.parametrize("kind", [STRUCTURED, BATCHED])
def test_a_body_that_is_no_json_is_refused(
    shared_client: TestClient, body: bytes, kind: dict[str, str]
) -> None:
    answer = shared_client.post("/events", content=body, headers=kind)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The body is not JSON:")


@pytest.mark.parametrize("body", ["5", "null", '"x"', "[]", "true"])
def test_an_event_that_is_no_object_is_refused(shared_client: TestClient, body: str) -> None:
    answers = [
        shared_client.post("/events", content=body, headers=STRUCTURED),
        shared_client.post("/events", content=f"[{body}]", headers=BATCHED),
    ]

    for answer in answers:
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"index": 0, "field": "event", "detail": "must be a JSON object"}
        ]


def test_a_batch_that_is_no_array_is_refused(shared_client: TestClient) -> None:
    assert shared_client.post("/events", content="{}", headers=BATCHED).status_code == 400


def test_deep_nesting_is_either_kept_or_refused(shared_client: TestClient) -> None:
    data = {"training_id": "t", "dataset_id": "d", "target": "y", "model_name": "n"}
    found = set()
    for depth in (1, 50, 100, 150, 190, 200, 250, 1000, 100_000):
        event = cloud_event(USER, id=str(depth), type="training.requested", data=data)
        deep = '{"a":' * depth + "1" + "}" * depth
        body = json.dumps(event)[:-2] + f', "hyperparameters": {deep}' + "}}"
        found.add(shared_client.post("/events", content=body, headers=STRUCTURED).status_code)

    assert found == {202, 400}


def test_a_long_key_is_cut_in_the_answer(shared_client: TestClient) -> None:
    event = cloud_event(USER, data={"model_id": "m", "k" * 100_000: [0] * 100})

    answer = shared_client.post("/events", json=event, headers=STRUCTURED)

    assert answer.status_code == 422
    assert len(answer.content) < 1000


def test_of_a_thousand_wrong_events_a_hundred_errors_are_named(shared_client: TestClient) -> None:
    batch = [cloud_event(USER, id=str(each), data={}) for each in range(1000)]

    answer = shared_client.post("/events", json=batch, headers=BATCHED)

    assert len(answer.json()["errors"]) == 100


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("prune.due", {"days": 1}),
        ("usage.threshold_reached", {"threshold": 80}),
        ("usage.limit_exceeded", {}),
    ],
)
def test_internal_types_are_refused(
    client: TestClient, assembly: Assembly, user_id: UUID, type_: str, data: dict[str, Any]
) -> None:
    batch = [cloud_event(user_id), cloud_event(user_id, id="2", type=type_, data=data)]

    answer = client.post("/events", json=batch, headers=BATCHED)

    assert answer.status_code == 403
    assert [(each["index"], each["field"]) for each in answer.json()["errors"]] == [(1, "type")]
    assert stored_events(assembly) == []


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "text/plain",
        "application/cloudevents+xml",
        "application/cloudevents+json; charset=latin-1",
        "",
    ],
)
def test_other_media_types_are_refused(client: TestClient, user_id: UUID, kind: str) -> None:
    answer = client.post("/events", json=cloud_event(user_id), headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
