"""What the doubles were asked is kept as it came."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from sandbox.requests import KEPT
from tests.doubles import Doubles


def test_a_request_is_kept_as_it_came(doubles: Doubles) -> None:
    body = gzip.compress(b'{"api_key": "phc"}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", "X-Two": "a, b"}
    httpx.post(f"{doubles.url}/posthog/batch/?a=1&a=%20", content=body, headers=headers)

    (sent,) = doubles.server.world.requests["posthog"]

    assert (sent.method, sent.path, sent.query) == ("POST", "/posthog/batch/", "a=1&a=%20")
    assert sent.headers["content-encoding"] == "gzip"
    assert sent.headers["x-two"] == "a, b"
    assert sent.body == body
    assert not doubles.server.world.requests["loops"]


@pytest.mark.parametrize("kind", ["status", "drop", "lose"])
def test_what_runs_into_a_fault_is_kept_too(kind: str, doubles: Doubles) -> None:
    doubles.break_down("loops", kind)
    try:
        httpx.post(f"{doubles.url}/loops/api/v1/events/send", json={"eventName": "e"})
    except httpx.RemoteProtocolError:
        assert kind != "status"

    (sent,) = doubles.server.world.requests["loops"]

    assert sent.body == b'{"eventName":"e"}'


def test_only_the_last_requests_are_kept_and_no_page_is_one(doubles: Doubles) -> None:
    with httpx.Client(base_url=doubles.url) as http:
        for number in range(KEPT + 5):
            http.get(f"/loops/api/v1/api-key?n={number}")
        http.get("/contacts")
        http.get("/sandbox/state/loops")

    kept = [each.query for each in doubles.server.world.requests["loops"]]
    assert kept == [f"n={number}" for number in range(5, KEPT + 5)]


def test_a_request_that_breaks_off_is_none(doubles: Doubles) -> None:
    def half() -> Iterator[bytes]:
        yield b'{"eventName"'
        raise InterruptedError

    with pytest.raises(InterruptedError):
        httpx.post(f"{doubles.url}/loops/api/v1/events/send", content=half())
    httpx.get(f"{doubles.url}/loops/api/v1/api-key")

    assert [each.method for each in doubles.server.world.requests["loops"]] == ["GET"]


def test_all_is_forgotten_together(doubles: Doubles) -> None:
    httpx.get(f"{doubles.url}/loops/api/v1/api-key")
    httpx.post(f"{doubles.url}/sandbox/reset")

    assert not any(doubles.server.world.requests.values())
