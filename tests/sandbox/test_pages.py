"""A person sees what reached the providers, and tests can move time and break things."""

import httpx
import pytest

from events import uuid7
from tests.doubles import Doubles
from tests.factories import publish_now
from tests.handlers.contacts.test_contacts import story, uploaded
from tests.pipeline import Pipeline


@pytest.mark.parametrize("path", ["/", "/contacts", "/people", "/flags", "/errors"])
def test_a_page_opens_with_nothing_to_show(path: str, doubles: Doubles) -> None:
    answer = httpx.get(doubles.url + path)

    assert answer.status_code == 200
    assert "yet" in answer.text


def test_what_was_sent_is_shown(pipeline_with_doubles: Pipeline, doubles: Doubles) -> None:
    user = uuid7()
    publish_now(pipeline_with_doubles.assembly, *story(user), uploaded(user))
    for _ in range(3):
        pipeline_with_doubles.work()
        pipeline_with_doubles.pass_time()

    assert "Welcome to ML Insights" in httpx.get(doubles.url).text
    assert "countess@example.com" in httpx.get(f"{doubles.url}/contacts").text
    assert "dataset_uploaded" in httpx.get(f"{doubles.url}/people").text


def test_flags_are_shown_with_whom_they_are_rolled_out_to(doubles: Doubles) -> None:
    pro = {"key": "plan", "value": ["pro"], "operator": "exact", "type": "person"}
    flags = [
        {"key": "half", "active": True, "filters": {"groups": [{"rollout_percentage": 50}]}},
        {"key": "all-pro", "filters": {"groups": [{"properties": [pro]}]}},
        {"key": "ended", "active": False, "filters": {"groups": []}},
    ]
    httpx.put(f"{doubles.url}/sandbox/flags", json=flags)

    page = httpx.get(f"{doubles.url}/flags").text
    half, pro_only, ended = (row.split("</tr>")[0] for row in page.split("<tr>")[2:])

    assert "half" in half
    assert ">active<" in half
    assert "50%" in half
    assert "100% of plan: [&#39;pro&#39;]" in pro_only
    assert ">active<" in pro_only
    assert ">not active<" in ended
    assert "nobody" in ended
    assert httpx.get(f"{doubles.url}/sandbox/state/posthog").json()["flags"] == flags


def test_faults_are_set_by_request_and_shown(doubles: Doubles) -> None:
    fault = {"kind": "status", "status": 503, "times": 1}
    assert httpx.put(f"{doubles.url}/sandbox/faults/loops", json=fault).status_code == 200
    assert "out of order: loops" in httpx.get(doubles.url).text

    statuses = [httpx.get(f"{doubles.url}/loops/api/v1/api-key").status_code for _ in range(2)]

    assert statuses == [503, 401]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("loops", {"kind": "bad mood"}, 422),
        ("loops", {}, 422),
        ("pigeons", {"kind": "drop"}, 404),
    ],
)
def test_a_fault_that_there_is_not_is_refused(
    path: str, body: dict[str, str], status: int, doubles: Doubles
) -> None:
    answer = httpx.put(f"{doubles.url}/sandbox/faults/{path}", json=body)

    assert answer.status_code == status


@pytest.mark.parametrize("kind", ["drop", "lose"])
def test_a_dropped_connection_is_one(kind: str, doubles: Doubles) -> None:
    doubles.break_down("loops", kind)

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{doubles.url}/loops/api/v1/api-key")
    assert doubles.loops.requests == 0


def test_a_late_answer_is_late(doubles: Doubles) -> None:
    doubles.break_down("loops", "latency", seconds=0.2)

    answer = httpx.get(f"{doubles.url}/loops/api/v1/api-key")

    assert answer.elapsed.total_seconds() >= 0.2
