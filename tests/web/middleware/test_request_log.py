"""One log line per request, which identifies no user."""

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from runtime.assembly import Assembly
from runtime.web import make_app
from tests.web.requests import KEY
from web.middleware import request_log
from web.routes.users import usage


def requests_in(lines: list[Any]) -> list[tuple[str, str, int]]:
    return [
        (line["method"], line["route"], line["status"])
        for line in lines
        if line["event"] == "request"
    ]


@pytest.fixture(autouse=True)
def _fresh_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    import structlog  # noqa: PLC0415

    monkeypatch.setattr(request_log, "log", structlog.get_logger())


def test_each_request_has_a_line_with_its_route_and_neither_path_nor_query(
    client: TestClient,
) -> None:
    secret = str(uuid4())
    with capture_logs() as lines:
        client.get(f"/events/{secret}?q={secret}")
        client.get(f"/{secret}")
        client.post("/events", content=secret)
        client.get("/healthz")

    assert requests_in(lines) == [
        ("GET", "/events/{event_id}", 404),
        ("GET", "*", 404),
        ("POST", "/events", 415),
        ("GET", "/healthz", 200),
    ]
    assert secret not in str(lines)
    assert all(line["ms"] > 0 for line in lines)


def test_a_crash_is_a_500(assembly: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "usage_of", None)
    app = make_app(assembly.settings)

    with (
        TestClient(app, headers=KEY, raise_server_exceptions=False) as client,
        capture_logs() as lines,
    ):
        client.get(f"/users/{uuid4()}/usage")

    assert requests_in(lines) == [("GET", "/users/{user_id}/usage", 500)]
