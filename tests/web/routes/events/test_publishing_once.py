"""`POST /events`: the same id is published once, and never stands for two events."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from events import named_id, uuid7
from runtime.assembly import Assembly
from tests.web.requests import BATCHED, STRUCTURED, cloud_event, stored_events


def test_the_answer_has_the_ids_under_which_events_are_stored(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    own_id = uuid7()
    batch = [cloud_event(user_id, id=str(own_id)), cloud_event(user_id, id="order 9/é")]

    answer = client.post("/events", content=json.dumps(batch), headers=BATCHED)

    assert answer.status_code == 202
    assert answer.json() == {"ids": [str(own_id), str(named_id("/platform", "order 9/é"))]}
    assert {str(row.id) for row in stored_events(assembly)} == set(answer.json()["ids"])


def test_publishing_again_answers_the_same_and_changes_nothing(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    event = cloud_event(user_id)
    first = client.post("/events", json=event, headers=STRUCTURED)
    before = stored_events(assembly)

    again = client.post("/events", json=event, headers=STRUCTURED)
    among_new = client.post(
        "/events", json=[event, cloud_event(user_id, id="p-2")], headers=BATCHED
    )

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert among_new.json()["ids"][0] == first.json()["ids"][0]
    assert stored_events(assembly)[:1] == before
    assert len(stored_events(assembly)) == 2


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
    assert len(stored_events(assembly)) == 1


def test_the_same_name_of_two_sources_makes_two_events(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    batch = [cloud_event(user_id, source=source) for source in ("/a", "/b")]

    assert client.post("/events", json=batch, headers=BATCHED).status_code == 202

    assert len(stored_events(assembly)) == 2


def test_a_hash_that_looks_like_a_uuid_without_dashes_is_a_name(
    client: TestClient, user_id: UUID
) -> None:
    name = "d41d8cd98f00b204e9800998ecf8427e"

    answer = client.post("/events", json=cloud_event(user_id, id=name), headers=STRUCTURED)

    assert answer.json() == {"ids": [str(named_id("/platform", name))]}


def test_the_same_batch_in_any_order_from_many_at_once_is_published_once(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    batch = [cloud_event(user_id, id=str(number)) for number in range(300)]

    def send(seed: int) -> int:
        order = random.Random(seed).sample(batch, len(batch))
        return client.post("/events", json=order, headers=BATCHED).status_code

    with ThreadPoolExecutor(8) as senders:
        assert set(senders.map(send, range(24))) == {202}

    assert len(stored_events(assembly)) == 300
