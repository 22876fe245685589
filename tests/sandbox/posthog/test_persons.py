"""The double of PostHog deletes persons as PostHog does, and refuses what PostHog refuses."""

from typing import Any

import httpx
import pytest

from tests.doubles import Doubles

PATH = "/posthog/api/projects/1/persons/bulk_delete/"
KEY = {"Authorization": "Bearer phx_key"}
CAPTURE = {"event": "seen", "uuid": "0198c0de-0000-4000-8000-000000000001"}


def capture(doubles: Doubles, distinct_id: str) -> None:
    batch = [CAPTURE | {"distinct_id": distinct_id, "properties": {"$set": {"name": "Ada"}}}]
    httpx.post(f"{doubles.url}/posthog/batch/", json={"api_key": "phc_key", "batch": batch})


def delete(doubles: Doubles, body: Any, **request: Any) -> httpx.Response:
    return httpx.post(f"{doubles.url}{PATH}", json=body, **{"headers": KEY} | request)


@pytest.mark.parametrize("with_events", [True, False])
def test_a_person_is_deleted_and_its_events_where_that_is_asked_for(
    with_events: bool, doubles: Doubles
) -> None:
    capture(doubles, "u-1")
    capture(doubles, "u-2")

    answer = delete(doubles, {"distinct_ids": ["u-1", "u-3"], "delete_events": with_events})

    assert answer.status_code == 202
    assert answer.json() == {
        "persons_found": 1,
        "persons_deleted": 1,
        "events_queued_for_deletion": with_events,
        "recordings_queued_for_deletion": False,
        "deletion_errors": [],
    }
    assert set(doubles.posthog.persons) == {"u-2"}
    left = {each.distinct_id for each in doubles.posthog.received}
    assert left == ({"u-2"} if with_events else {"u-1", "u-2"})


def test_the_id_of_a_deleted_person_is_not_to_be_used_again(doubles: Doubles) -> None:
    capture(doubles, "u-1")
    delete(doubles, {"distinct_ids": ["u-1"]})

    capture(doubles, "u-1")

    assert doubles.posthog.persons == {}
    assert len(doubles.posthog.warnings) == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"distinct_ids": ["nobody"]}, "matched no person"),
        ({}, "distinct_ids"),
        ({"distinct_ids": []}, "distinct_ids"),
        ({"distinct_ids": "u-1"}, "list of strings"),
        ({"distinct_ids": [1]}, "list of strings"),
        ({"distinct_ids": ["u"] * 1001}, "At most 1000"),
        ({"distinct_ids": ["u-1"], "delete_events": "yes"}, "delete_events"),
        ([], "not JSON"),
    ],
)
def test_a_wrong_request_deletes_nobody(body: Any, detail: str, doubles: Doubles) -> None:
    capture(doubles, "u-1")

    answer = delete(doubles, body)

    assert answer.status_code == 400
    assert detail in answer.json()["detail"]
    assert set(doubles.posthog.persons) == {"u-1"}


@pytest.mark.parametrize("key", ["Bearer phc_key", "Bearer phs_key", "phx_key", ""])
def test_only_a_personal_key_may_delete_persons(key: str, doubles: Doubles) -> None:
    body = {"distinct_ids": ["u-1"]}

    assert delete(doubles, body, headers={"Authorization": key}).status_code == 401


def test_another_project_is_not_found(doubles: Doubles) -> None:
    url = f"{doubles.url}{PATH}".replace("/1/", "/2/")

    answer = httpx.post(url, json={"distinct_ids": ["u-1"]}, headers=KEY)

    assert answer.status_code == 404
