"""The last requests to each provider are recorded as they came."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from sandbox.recorded_requests import REQUESTS_KEPT
from tests.doubles import Doubles


def test_a_request_is_recorded_as_it_came(doubles: Doubles) -> None:
    body = gzip.compress(b'{"api_key": "phc"}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", "X-Two": "a, b"}
    httpx.post(f"{doubles.url}/posthog/batch/?a=1&a=%20", content=body, headers=headers)

    (sent,) = doubles.requests("posthog")

    assert (sent.method, sent.path, sent.query) == ("POST", "/posthog/batch/", "a=1&a=%20")
    assert sent.headers["content-encoding"] == "gzip"
    assert sent.headers["x-two"] == "a, b"
    assert sent.body == body
    assert not doubles.requests("loops")


@pytest.mark.parametrize("kind", ["status", "drop", "lose"])
def test_a_request_that_runs_into_a_fault_is_recorded_too(kind: str, doubles: Doubles) -> None:
    doubles.set_fault("loops", kind)
    try:
        httpx.post(f"{doubles.url}/loops/api/v1/events/send", json={"eventName": "e"})
    except httpx.RemoteProtocolError:
        assert kind != "status"

    (sent,) = doubles.requests("loops")

    assert sent.body == b'{"eventName":"e"}'


def test_only_the_last_requests_to_providers_are_recorded(doubles: Doubles) -> None:
    with httpx.Client(base_url=doubles.url) as http:
        for number in range(REQUESTS_KEPT + 5):
            http.get(f"/loops/api/v1/api-key?n={number}")
        http.get("/contacts")
        http.get("/sandbox/state/loops")

    kept = [each.query for each in doubles.requests("loops")]
    assert kept == [f"n={number}" for number in range(5, REQUESTS_KEPT + 5)]


def test_a_request_that_breaks_off_is_not_recorded(doubles: Doubles) -> None:
    def half() -> Iterator[bytes]:
        yield b'{"eventName"'
        raise InterruptedError

    with pytest.raises(InterruptedError):
        httpx.post(f"{doubles.url}/loops/api/v1/events/send", content=half())
    httpx.get(f"{doubles.url}/loops/api/v1/api-key")

    assert [each.method for each in doubles.requests("loops")] == ["GET"]
