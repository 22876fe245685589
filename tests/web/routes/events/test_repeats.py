"""`POST /events`: what is published again must be the same, or it is refused with a 409."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from events import Event, named_id, publish, uuid7
from models.erased_events import erase
from runtime.assembly import Assembly
from tests.web.requests import BATCHED, STRUCTURED, cloud_event, stored_events

OTHER_USER = "0198c0de-0000-7000-8000-0000000000bb"


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"subject": OTHER_USER}, "of another user"),
        ({"data": {"model_id": "m-2", "prediction_count": 3}}, "with other data"),
        ({"data": {"model_id": "m-1", "prediction_count": 4}}, "with other data"),
        ({"data": {"model_id": "m-1"}}, "with other data"),
        ({"data": {"model_id": "m-1", "prediction_count": 3, "batch": True}}, "with other data"),
    ],
)
def test_an_id_with_another_user_or_other_data_is_refused_rather_than_lost(
    client: TestClient, assembly: Assembly, user_id: UUID, other: dict[str, Any], difference: str
) -> None:
    event = cloud_event(user_id)
    client.post("/events", json=event, headers=STRUCTURED)
    before = stored_events(assembly)

    batch = [cloud_event(user_id, id="new"), event | other, cloud_event(user_id, id="newer")]
    among_new = client.post("/events", json=batch, headers=BATCHED)
    alone = client.post("/events", json=event | other, headers=STRUCTURED)

    assert (among_new.status_code, alone.status_code) == (409, 409)
    assert among_new.headers["content-type"] == "application/problem+json"
    assert among_new.json()["errors"] == [
        {"index": 1, "field": "id", "detail": f"belongs to an event {difference}"}
    ]
    assert alone.json()["errors"][0]["index"] == 0
    assert stored_events(assembly) == before


def test_every_conflict_of_a_batch_is_named(client: TestClient, user_id: UUID) -> None:
    batch = [cloud_event(user_id, id=str(number)) for number in range(6)]
    client.post("/events", json=batch, headers=BATCHED)
    for index in (5, 1):
        batch[index] |= {"subject": OTHER_USER}

    errors = client.post("/events", json=batch, headers=BATCHED).json()["errors"]

    assert [each["index"] for each in errors] == [1, 5]


@pytest.mark.parametrize(
    "same",
    [
        {"data": {"prediction_count": 3, "batch": False, "model_id": "m-1"}},
        {"data": {"prediction_count": 3, "model_id": "m-1", "batch": False}},
        {"time": "2026-03-01T10:00:00Z"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"subject": "models/m-1", "userid": "USER"},
    ],
)
def test_the_same_content_in_another_form_is_the_same(
    client: TestClient, assembly: Assembly, user_id: UUID, same: dict[str, Any]
) -> None:
    if "userid" in same:
        same = same | {"userid": str(user_id).upper()}
    event = cloud_event(user_id)
    first = client.post("/events", json=event, headers=STRUCTURED)

    again = client.post("/events", json=event | same, headers=STRUCTURED)

    assert (again.status_code, again.content) == (202, first.content)
    assert len(stored_events(assembly)) == 1


HYPERPARAMETERS: dict[str, Any] = {"depth": 5, "rate": 0.1, "deep": {"on": [True, None, "a"]}}


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"deep": {"on": [True, None, "a"]}, "rate": 0.10, "depth": 5.0}, 202),
        (HYPERPARAMETERS | {"depth": True}, 409),
        (HYPERPARAMETERS | {"depth": "5"}, 409),
        (HYPERPARAMETERS | {"deep": {"on": [1, None, "a"]}}, 409),
        (HYPERPARAMETERS | {"deep": {"on": [None, True, "a"]}}, 409),
        (HYPERPARAMETERS | {"deep": {"on": [True, None, "a"], "more": None}}, 409),
    ],
)
def test_data_are_compared_as_json_values(
    client: TestClient, user_id: UUID, other: dict[str, Any], status: int
) -> None:
    assert send_training(client, user_id, HYPERPARAMETERS) == 202

    assert send_training(client, user_id, other) == status


@pytest.mark.parametrize("value", [1e308, 5e-324, -0.0, 2**53 - 1, 1e16, 0.1 + 0.2])
def test_no_number_differs_from_itself_once_it_was_stored(
    client: TestClient, user_id: UUID, value: float
) -> None:
    for _ in range(2):
        assert send_training(client, user_id, {"value": value}) == 202


def send_training(client: TestClient, user_id: UUID, hyperparameters: dict[str, Any]) -> int:
    data = {
        "training_id": "t",
        "dataset_id": "d",
        "target": "y",
        "model_name": "n",
        "hyperparameters": hyperparameters,
    }
    event = cloud_event(user_id, type="training.requested", data=data)
    return client.post("/events", json=event, headers=STRUCTURED).status_code


def test_what_sql_published_without_its_defaults_is_the_same(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    with assembly.engine.begin() as connection:
        publish = text("""
            SELECT publish_event('prediction.made', '{"model_id": "m-1"}', :user, :id,
                                 source => '/platform')
        """)
        connection.execute(publish, {"user": user_id, "id": named_id("/platform", "p-1")})

    for data, status in (({"model_id": "m-1"}, 202), ({"model_id": "m-2"}, 409)):
        answer = client.post("/events", json=cloud_event(user_id, data=data), headers=STRUCTURED)
        assert answer.status_code == status


def test_what_is_stored_in_a_form_that_its_type_never_had_is_another_event(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    insert = text("""
        INSERT INTO insights.events (id, type, source, user_id, data)
        VALUES (:id, 'prediction.made', '/platform', :user, '{"model_id": 5}')
    """)
    with assembly.engine.begin() as connection:
        connection.execute(insert, {"user": user_id, "id": named_id("/platform", "p-1")})

    answer = client.post("/events", json=cloud_event(user_id), headers=STRUCTURED)

    assert answer.status_code == 409


ERASE = """UPDATE insights.events SET data = '{"email": "", "name": "", "erased": true}'"""
PRUNE = "TRUNCATE insights.deliveries, insights.events"


@pytest.mark.parametrize("forget", [ERASE, ERASE + ", user_id = NULL", PRUNE])
def test_the_id_of_an_event_that_was_erased_or_pruned_is_accepted(
    client: TestClient, assembly: Assembly, forget: str
) -> None:
    event = signed_up_event(uuid7())
    first = client.post("/events", json=event, headers=STRUCTURED)
    with assembly.engine.begin() as connection:
        connection.execute(text(forget))

    again = client.post("/events", json=event, headers=STRUCTURED)

    assert (again.status_code, again.content) == (202, first.content)


def test_an_event_that_is_pruned_while_it_is_sent_again_is_published_anew(
    client: TestClient, assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = signed_up_event(uuid7())
    client.post("/events", json=event, headers=STRUCTURED)
    prune = ["DELETE FROM insights.events"]

    def publish_and_prune(session: Session, *events: Event) -> set[UUID]:
        new = publish(session, *events)
        while prune:
            with assembly.engine.begin() as other:
                other.execute(text(prune.pop()))
        return new

    monkeypatch.setattr("web.routes.events.publishing.publish", publish_and_prune)
    answer = client.post("/events", json=event, headers=STRUCTURED)

    assert answer.status_code == 202
    assert [str(row.id) for row in stored_events(assembly)] == answer.json()["ids"]


def test_what_was_erased_with_its_user_may_be_sent_again(
    client: TestClient, assembly: Assembly
) -> None:
    user_id = uuid7()
    event = signed_up_event(user_id)
    client.post("/events", json=event, headers=STRUCTURED)
    with assembly.sessions.begin() as session:
        assert erase(session, [user_id]) == 1
    before = stored_events(assembly)

    assert client.post("/events", json=event, headers=STRUCTURED).status_code == 202
    assert stored_events(assembly) == before


def test_an_erased_event_still_belongs_to_its_user(client: TestClient, assembly: Assembly) -> None:
    client.post("/events", json=signed_up_event(uuid7()), headers=STRUCTURED)
    with assembly.engine.begin() as connection:
        connection.execute(text(ERASE))

    answer = client.post("/events", json=signed_up_event(uuid7()), headers=STRUCTURED)

    assert answer.status_code == 409


def signed_up_event(user_id: UUID) -> dict[str, Any]:
    data = {"email": "ada@example.com", "name": "Ada"}
    return cloud_event(user_id, id="sign-up", type="user.signed_up", data=data)
