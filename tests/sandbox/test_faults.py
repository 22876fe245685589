"""A bad day is told in the provider's own words."""

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
def test_each_provider_refuses_in_its_own_form(
    provider: str, status: int, body: dict[str, Any], doubles: Doubles
) -> None:
    fault = {"kind": "status", "status": status, "message": QUOTA, "headers": {"Retry-After": "3"}}
    httpx.put(f"{doubles.url}/sandbox/faults/{provider}", json=fault)

    answer = httpx.post(doubles.url + ADDRESSES[provider])

    assert (answer.status_code, answer.json()) == (status, body)
    assert answer.headers["retry-after"] == "3"


@pytest.mark.parametrize("provider", ADDRESSES)
def test_a_message_need_not_be_chosen(provider: str, doubles: Doubles) -> None:
    doubles.break_down(provider, "status")

    answer = httpx.post(doubles.url + ADDRESSES[provider])

    assert answer.status_code == 500
    assert "told to refuse" in answer.text
