"""CloudEvents whose attributes are headers."""

import json
from uuid import UUID

import httpx
import pytest
from starlette.testclient import TestClient

from events import named_id
from runtime.assembly import Assembly
from tests.web.requests import KEY, cloud_event, stored_events
from web.serve import Server

DATA = {"model_id": "m-1"}


def headers_of(user_id: UUID, **attributes: str) -> dict[str, str]:
    event = cloud_event(user_id, **attributes)
    return {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}


def test_attributes_are_percent_encoded_utf_8(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    headers = headers_of(user_id, source="/caf%C3%A9%20%25", id="%E2%82%AC-1")

    answer = client.post("/events", json=DATA, headers=headers)

    assert answer.json() == {"ids": [str(named_id("/café %", "€-1"))]}
    assert stored_events(assembly)[0].source == "/café %"


def test_attributes_may_stand_in_quotes(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    headers = headers_of(user_id, source='"/with \\"quotes\\""')

    assert client.post("/events", json=DATA, headers=headers).status_code == 202

    assert stored_events(assembly)[0].source == '/with "quotes"'


@pytest.mark.parametrize("value", ["%FF", "%ED%A0%80", "%C3"])
def test_what_is_not_utf_8_is_refused(client: TestClient, user_id: UUID, value: str) -> None:
    answer = client.post("/events", json=DATA, headers=headers_of(user_id, id=value))

    assert answer.status_code == 400
    assert "ce-id" in answer.json()["detail"]


@pytest.mark.parametrize("value", ["a%00b", "%0A"])
def test_control_characters_are_refused(client: TestClient, user_id: UUID, value: str) -> None:
    answer = client.post("/events", json=DATA, headers=headers_of(user_id, id=value))

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["id"]


@pytest.mark.parametrize("kind", ["application/json", "application/vnd.acme+json", None])
def test_data_are_json_by_whatever_name(
    client: TestClient, assembly: Assembly, user_id: UUID, kind: str | None
) -> None:
    headers = headers_of(user_id) | ({"Content-Type": kind} if kind else {})

    answer = client.post("/events", content=json.dumps(DATA), headers=headers)

    assert answer.status_code == 202
    assert stored_events(assembly)[0].data["model_id"] == "m-1"


def test_data_of_another_kind_are_refused(client: TestClient, user_id: UUID) -> None:
    headers = headers_of(user_id) | {"Content-Type": "text/plain"}

    assert client.post("/events", content="m-1", headers=headers).status_code == 415


def test_a_type_without_data_needs_no_body(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    answer = client.post("/events", headers=headers_of(user_id, type="user.email_verified"))

    assert answer.status_code == 202
    assert stored_events(assembly)[0].data == {}


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_header_that_is_missing_is_named(client: TestClient, user_id: UUID, name: str) -> None:
    headers = headers_of(user_id)
    del headers[f"ce-{name}"]

    answer = client.post("/events", json=DATA, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"index": 0, "field": name, "detail": "is missing"}]


def test_a_header_cannot_stand_for_the_body(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    headers = headers_of(user_id) | {"ce-data": "{}", "ce-datacontenttype": "text/plain"}

    assert client.post("/events", json=DATA, headers=headers).status_code == 202

    assert stored_events(assembly)[0].data["model_id"] == "m-1"


def test_a_header_that_is_there_twice_is_refused(server: Server, user_id: UUID) -> None:
    headers = [*(KEY | headers_of(user_id)).items(), ("ce-id", "another")]

    answer = httpx.post(f"{server.url}/events", json=DATA, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["detail"] == "The header ce-id is there twice."
