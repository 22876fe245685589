"""A fault changes what happens to a request; an error has the provider's own form."""

from typing import Any

import httpx
import pytest

from tests.doubles import Doubles

ADDRESSES = {
    "loops": "/loops/api/v1/events/send",
    "posthog": "/posthog/batch/",
    "sentry": "/sentry/api/1/envelope/",
    "upstash": "/upstash/pipeline",
}
QUOTA = "ERR max requests limit exceeded. Limit: 500000, Usage: 500000"


@pytest.mark.parametrize(
    ("provider", "status", "body"),
    [
        ("loops", 500, {"success": False, "message": QUOTA}),
        ("posthog", 503, {"type": "server_error", "code": "invalid", "detail": QUOTA}),
        ("posthog", 429, {"type": "throttled_error", "code": "invalid", "detail": QUOTA}),
        ("posthog", 400, {"type": "validation_error", "code": "invalid", "detail": QUOTA}),
        ("sentry", 429, {"detail": QUOTA}),
        ("upstash", 400, {"error": QUOTA}),
    ],
)
def test_an_error_has_the_form_of_its_provider(
    provider: str, status: int, body: dict[str, Any], doubles: Doubles
) -> None:
    headers = {"Retry-After": "3"}
    doubles.set_fault(provider, "status", status=status, message=QUOTA, headers=headers)

    answer = httpx.post(doubles.url + ADDRESSES[provider])

    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["retry-after"] == "3"


@pytest.mark.parametrize("provider", ADDRESSES)
def test_an_error_has_a_default_message(provider: str, doubles: Doubles) -> None:
    doubles.set_fault(provider, "status")

    answer = httpx.post(doubles.url + ADDRESSES[provider])

    assert answer.status_code == 500
    assert "told to refuse" in answer.text


@pytest.mark.parametrize("kind", ["drop", "lose"])
def test_a_broken_connection_gives_no_answer(kind: str, doubles: Doubles) -> None:
    doubles.set_fault("loops", kind)

    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{doubles.url}/loops/api/v1/api-key")
    assert doubles.loops.requests == 0


def test_latency_delays_the_answer(doubles: Doubles) -> None:
    doubles.set_fault("loops", "latency", seconds=0.2)

    answer = httpx.get(f"{doubles.url}/loops/api/v1/api-key")

    assert answer.elapsed.total_seconds() >= 0.2
