"""The double of Loops answers as Loops does, and refuses what Loops refuses."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from runtime.sandbox_settings import template_id
from sandbox.loops.templates import Template
from tests.doubles import Doubles

WELCOME = {"name": "Ada", "dashboard_url": "https://a.example", "docs_url": "https://d.example"}
MAIL = {"transactionalId": template_id("welcome"), "email": "a@b.co", "dataVariables": WELCOME}


@pytest.fixture
def http(doubles: Doubles) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer key"}
    with httpx.Client(base_url=f"{doubles.url}/loops/api", headers=headers) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/v1/contacts/update", {}, 400),
        ("PUT", "/v1/contacts/update", {"email": "nobody"}, 400),
        ("PUT", "/v1/contacts/update", {"email": "a@b.co", "plan": {"nested": 1}}, 400),
        ("PUT", "/v1/contacts/update", {"email": "a@b.co", "note": "x" * 501}, 400),
        ("POST", "/v1/contacts/delete", {"userId": "nobody"}, 404),
        ("POST", "/v1/contacts/delete", {"userId": "u", "email": "a@b.co"}, 400),
        ("POST", "/v1/events/send", {"eventName": "e", "userId": "nobody"}, 400),
        ("POST", "/v1/events/send", {"email": "a@b.co"}, 400),
        ("POST", "/v1/transactional", MAIL | {"transactionalId": "unknown"}, 404),
        ("POST", "/v1/transactional", MAIL | {"dataVariables": {"name": "Ada"}}, 400),
        ("POST", "/v1/transactional", MAIL | {"dataVariables": WELCOME | {"name": True}}, 400),
        ("POST", "/v1/transactional", MAIL, 200),
    ],
)
def test_a_bad_request_is_refused(
    method: str, path: str, body: dict[str, Any], status: int, http: httpx.Client
) -> None:
    answer = http.request(method, path, json=body)

    assert answer.status_code == status
    assert answer.json()["success"] is (status == 200)


def test_a_wrong_key_is_refused(http: httpx.Client) -> None:
    answer = http.get("/v1/api-key", headers={"Authorization": "Bearer wrong"})

    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid API key")


def test_a_contact_is_created_once(http: httpx.Client) -> None:
    body = {"email": "a@b.co", "userId": "u-1"}

    assert http.post("/v1/contacts/create", json=body).status_code == 200
    assert http.post("/v1/contacts/create", json=body).status_code == 409
    assert http.put("/v1/contacts/update", json=body | {"plan": "pro"}).status_code == 200
    (found,) = http.get("/v1/contacts/find", params={"userId": "u-1"}).json()
    assert (found["email"], found["plan"]) == ("a@b.co", "pro")
    assert http.get("/v1/contacts/find", params={"email": "none@b.co"}).json() == []


def test_an_idempotency_key_is_remembered_for_a_day(http: httpx.Client, doubles: Doubles) -> None:
    headers = {"Idempotency-Key": "k"}
    statuses = [http.post("/v1/transactional", json=MAIL, headers=headers) for _ in range(2)]
    doubles.advance_clock(hours=24.1)
    statuses.append(http.post("/v1/transactional", json=MAIL, headers=headers))

    assert [each.status_code for each in statuses] == [200, 409, 200]
    assert len(doubles.loops.mails) == 2


def test_a_team_may_send_ten_requests_a_second(http: httpx.Client, doubles: Doubles) -> None:
    answers = [http.get("/v1/api-key") for _ in range(12)]

    assert [each.status_code for each in answers] == [200] * 10 + [429] * 2
    assert answers[0].headers["x-ratelimit-limit"] == "10"
    assert answers[0].headers["x-ratelimit-remaining"] == "9"
    assert "retry-after" not in answers[-1].headers
    doubles.advance_clock(hours=1 / 3600)
    assert http.get("/v1/api-key").status_code == 200


def pages(http: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = http.get(path, params={"cursor": cursor} if cursor else {}).json()
        yield page
        cursor = page["pagination"]["nextCursor"]


def test_emails_are_listed_a_page_at_a_time(http: httpx.Client, doubles: Doubles) -> None:
    doubles.loops.templates = {f"cl{n}": Template(f"mail {n}", "") for n in range(45)}

    first, second, third = pages(http, "/v1/transactional-emails")

    found = [row["id"] for page in (first, second, third) for row in page["data"]]
    assert found == [f"cl{n}" for n in range(45)]
    assert first["pagination"] == {
        "totalResults": 45, "returnedResults": 20, "perPage": 20, "totalPages": 3,
        "nextCursor": first["pagination"]["nextCursor"],
        "nextPage": first["pagination"]["nextPage"],
    }  # fmt: skip
    assert http.get(first["pagination"]["nextPage"]).json() == second
    assert (
        third["pagination"] | {"returnedResults": 5, "nextCursor": None, "nextPage": None}
        == (third["pagination"])
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"perPage": "9"}, 400),
        ({"perPage": "51"}, 400),
        ({"perPage": "many"}, 400),
        ({"cursor": "unknown"}, 400),
        ({"perPage": "10"}, 200),
        ({"perPage": "50"}, 200),
    ],
)
def test_a_page_has_ten_to_fifty_emails(
    query: dict[str, str], status: int, http: httpx.Client
) -> None:
    answer = http.get("/v1/transactional-emails", params=query)

    assert answer.status_code == status
    if status == 200:
        assert answer.json()["pagination"]["perPage"] == int(query["perPage"])


def test_an_email_is_rendered_with_its_variables_escaped(
    http: httpx.Client, doubles: Doubles
) -> None:
    script = WELCOME | {"name": "<script>"}
    http.post("/v1/transactional", json=MAIL | {"dataVariables": script})

    page = httpx.get(f"{doubles.url}/inbox/1").text

    assert "Welcome, &lt;script&gt;" in page
    assert "DATA_VARIABLE" not in page
