"""The admin API, through its client where the client can send what is tested."""

import httpx
import pytest

from tests.doubles import Doubles


def test_a_fault_is_set_shown_and_used_up(doubles: Doubles) -> None:
    fault = {"kind": "status", "status": 503, "times": 1}
    assert httpx.put(f"{doubles.url}/sandbox/faults/loops", json=fault).status_code == 200
    assert "out of order: loops" in httpx.get(doubles.url).text

    statuses = [httpx.get(f"{doubles.url}/loops/api/v1/api-key").status_code for _ in range(2)]

    assert statuses == [503, 401]
    assert doubles.faults_met("loops") == 1


def test_a_cleared_fault_ends(doubles: Doubles) -> None:
    doubles.set_fault("loops", "status", status=503)
    doubles.clear_fault("loops")

    assert httpx.get(f"{doubles.url}/loops/api/v1/api-key").status_code == 401
    assert doubles.faults_met("loops") == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("loops", {"kind": "bad mood"}, 422),
        ("loops", {}, 422),
        ("pigeons", {"kind": "drop"}, 404),
    ],
)
def test_an_unknown_fault_is_refused(
    path: str, body: dict[str, str], status: int, doubles: Doubles
) -> None:
    answer = httpx.put(f"{doubles.url}/sandbox/faults/{path}", json=body)

    assert answer.status_code == status


def test_the_client_raises_what_the_sandbox_refuses(doubles: Doubles) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        doubles.set_fault("loops", "bad mood")
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        doubles.state("pigeons")


def test_the_state_is_what_a_double_was_sent(doubles: Doubles) -> None:
    httpx.post(
        f"{doubles.url}/posthog/batch/", json={"api_key": "phc", "batch": [{"event": "lonely"}]}
    )
    httpx.post(f"{doubles.url}/upstash", json=["PING"], headers={"Authorization": "Bearer t"})

    state = doubles.state("posthog")

    assert (state["batches"], state["received"]) == (1, 0)
    assert state["warnings"] == ["event or distinct_id is missing"]
    assert doubles.state("upstash")["commands"] > 0


def test_envelopes_are_returned_as_text(doubles: Doubles) -> None:
    envelope = b'{"event_id": "1"}\n{"type": "event"}\n{"event_id": "1"}\n'
    httpx.post(f"{doubles.url}/sentry/api/1/envelope/?sentry_key=k", content=envelope)

    assert doubles.sentry_envelopes() == [envelope.decode()]
    assert doubles.state("sentry")["events"] == [{"event_id": "1"}]


def test_the_rate_limit_of_loops_can_be_raised(doubles: Doubles) -> None:
    doubles.set_loops_rate_limit(1000)

    answer = httpx.get(f"{doubles.url}/loops/api/v1/api-key", headers={"Authorization": "Bearer k"})

    assert answer.headers["x-ratelimit-limit"] == "1000"


def test_a_reset_forgets_everything(doubles: Doubles) -> None:
    httpx.get(f"{doubles.url}/loops/api/v1/api-key")
    doubles.set_fault("loops", "drop")
    doubles.set_loops_rate_limit(1)
    httpx.post(f"{doubles.url}/sandbox/reset")

    assert not any(doubles.requests(name) for name in ("loops", "posthog", "sentry", "upstash"))
    assert httpx.get(f"{doubles.url}/sandbox/faults").json() == {"faults": {}, "met": {}}
    assert doubles.loops.per_second == 10
