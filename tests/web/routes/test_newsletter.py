"""`POST /newsletter` needs no key, and does not reveal who subscribed before."""

from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from runtime.assembly import Assembly


def subscriptions(assembly: Assembly) -> list[Any]:
    with assembly.engine.connect() as connection:
        query = "SELECT data, user_id FROM insights.events WHERE type = 'newsletter.subscribed'"
        return list(connection.execute(text(query)))


def test_an_address_is_subscribed_without_a_key(anonymous: TestClient, assembly: Assembly) -> None:
    answer = anonymous.post("/newsletter", json={"email": "Ada@Example.com"})

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert subscriptions(assembly) == [({"email": "ada@example.com"}, None)]


def test_subscribing_twice_gets_the_same_answer_and_publishes_once(
    anonymous: TestClient, assembly: Assembly
) -> None:
    answers = [anonymous.post("/newsletter", json={"email": "a@b.co"}) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert len(subscriptions(assembly)) == 1


@pytest.mark.parametrize(
    "body", [{}, {"email": "nobody"}, {"email": 7}, {"email": "a@b.co", "admin": True}, []]
)
def test_what_is_no_address_is_refused(body: Any, anonymous: TestClient) -> None:
    answer = anonymous.post("/newsletter", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]
