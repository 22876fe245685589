"""The double of PostHog refuses what PostHog refuses."""

from typing import Any

import httpx
import pytest

from tests.doubles import Doubles


@pytest.mark.parametrize("path", ["flags/?v=4", "batch/"])
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 401),
        ({"api_key": ""}, 401),
        ({"api_key": " "}, 401),
        ({"api_key": "wrong"}, 401),
        ({"token": "wrong"}, 401),
        ({"api_key": "phc_key"}, 200),
        ({"token": "phc_key"}, 200),
    ],
)
def test_a_project_key_is_required(
    said: dict[str, Any], status: int, path: str, doubles: Doubles
) -> None:
    body = said | {"distinct_id": "user-1", "batch": []}

    answer = httpx.post(f"{doubles.url}/posthog/{path}", json=body)

    assert answer.status_code == status
    if status == 401:
        assert answer.json()["type"] == "authentication_error"
