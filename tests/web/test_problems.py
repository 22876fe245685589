"""Every error is a problem document, and shows nothing that it should not."""

import pytest
from starlette.testclient import TestClient

from runtime.assembly import Assembly
from runtime.web import make_app
from tests.web.requests import KEY
from web.routes.users import usage


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/events/", 404),
        ("GET", "/events", 405),
        ("DELETE", "/events", 405),
        ("GET", "/events/not-a-uuid", 422),
        ("GET", "/users/not-a-uuid/usage", 422),
    ],
)
def test_every_error_is_a_problem_document(
    shared_client: TestClient, method: str, path: str, status: int
) -> None:
    answer = shared_client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert (document["type"], document["status"]) == ("about:blank", status)
    assert document["title"]
    assert document["detail"].endswith(".")


def test_a_method_that_is_not_allowed_names_those_that_are(client: TestClient) -> None:
    assert client.get("/events").headers["allow"] == "POST"


def test_what_was_sent_is_not_sent_back(client: TestClient) -> None:
    assert "not-a-uuid" not in client.get("/events/not-a-uuid").text


def test_a_fault_of_ours_shows_no_details(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(usage, "usage_of", fail)
    app = make_app(assembly.settings)

    with TestClient(app, headers=KEY, raise_server_exceptions=False) as client:
        answer = client.get("/users/0198c0de-0000-7000-8000-0000000000aa/usage")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "Something went wrong on our side."
    assert "secret" not in answer.text
