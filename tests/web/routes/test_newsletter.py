"""Anybody may ask for the newsletter; nobody learns who else did."""

from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from runtime.assembly import Assembly


def events(assembly: Assembly) -> list[Any]:
    with assembly.engine.connect() as connection:
        query = "SELECT data, user_id FROM insights.events WHERE type = 'newsletter.subscribed'"
        return list(connection.execute(text(query)))


def test_an_address_is_taken_down_without_a_key(stranger: TestClient, assembly: Assembly) -> None:
    answer = stranger.post("/newsletter", json={"email": "Ada@Example.com"})

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert events(assembly) == [({"email": "ada@example.com"}, None)]


def test_asking_twice_gets_the_same_answer_and_is_asking_once(
    stranger: TestClient, assembly: Assembly
) -> None:
    answers = [stranger.post("/newsletter", json={"email": "a@b.co"}) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert len(events(assembly)) == 1


@pytest.mark.parametrize(
    "body", [{}, {"email": "nobody"}, {"email": 7}, {"email": "a@b.co", "admin": True}, []]
)
def test_what_is_no_address_is_refused(body: Any, stranger: TestClient) -> None:
    answer = stranger.post("/newsletter", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]
