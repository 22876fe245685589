"""`GET /events/{id}`: the state of each handler's delivery."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from events import DatasetUploaded, Event, UserEmailVerified, UserSignedUp, uuid7
from models.deliveries import replay
from models.deliveries.backlog import OF_EVENT
from models.deliveries.claim import claim
from models.deliveries.replay import Selection
from models.providers import switch_on
from runtime.assembly import Assembly
from tests.factories import owe, publish_now
from tests.pipeline import Pipeline


def uploaded(user_id: UUID) -> Event:
    return DatasetUploaded(
        user_id=user_id, dataset_id="d", filename="f.csv", size_mb=1, row_count=1, column_count=1
    )


def state_of(client: TestClient, event: Event, handler: str) -> dict[str, Any]:
    handlers = client.get(f"/events/{event.id}").json()["handlers"]
    found: dict[str, Any] = next(each for each in handlers if each["handler"] == handler)
    return found


def test_it_shows_the_event_but_not_its_data(client: TestClient, assembly: Assembly) -> None:
    correlation, cause = uuid4(), uuid4()
    event = UserSignedUp(
        user_id=uuid7(), email="ada@example.com", correlation_id=correlation, causation_id=cause
    )
    publish_now(assembly, event)

    answer = client.get(f"/events/{event.id}")

    body = answer.json()
    assert body["id"] == str(event.id)
    assert body["type"] == "user.signed_up"
    assert (body["correlation_id"], body["causation_id"]) == (str(correlation), str(cause))
    assert {"occurred_at", "recorded_at"} <= body.keys()
    assert "ada@example.com" not in answer.text


def test_a_delivery_is_due_then_leased_then_done(
    client: TestClient, assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    event = uploaded(user_id)
    publish_now(assembly, event)

    due = state_of(client, event, "usage")
    with assembly.engine.begin() as connection:
        claim(connection, "usage", 1, timedelta(minutes=1))
    leased = state_of(client, event, "usage")
    pipeline.pass_time()
    pipeline.answer("usage")
    done = state_of(client, event, "usage")

    assert (due["state"], due["attempts"]) == ("due", 0)
    assert leased["state"] == "leased"
    assert leased["due_at"] > due["due_at"]
    assert done == {
        "handler": "usage",
        "state": "done",
        "attempts": None,
        "last_error": None,
        "due_at": None,
    }


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (
            "due_at = now() + interval '1 minute', attempts = 2, last_error = 'no profile'",
            "waiting",
        ),
        ("due_at = now() - interval '1 minute', leased = true, leases = 1", "due"),
        ("due_at = now() + interval '1 minute', leased = true, leases = 1", "leased"),
        ("died_at = now(), attempts = 10, last_error = 'no profile'", "dead"),
    ],
)
def test_failures_lost_leases_and_dead_letters_are_shown(
    client: TestClient, assembly: Assembly, user_id: UUID, change: str, state: str
) -> None:
    event = uploaded(user_id)
    publish_now(assembly, event)
    with assembly.engine.begin() as connection:
        connection.execute(text(f"UPDATE insights.deliveries SET {change}"))

    shown = state_of(client, event, "usage")

    assert shown["state"] == state
    assert shown["last_error"] == ("no profile" if "error" in change else None)
    assert shown["due_at"] is None if state == "dead" else shown["due_at"]


def test_a_handler_that_no_longer_follows_still_has_its_delivery(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    event = UserEmailVerified(user_id=user_id)
    publish_now(assembly, event)
    with assembly.engine.begin() as connection:
        owe(connection, "usage", event.id)

    assert state_of(client, event, "usage")["state"] == "due"


def test_an_event_of_the_past_is_done_by_all_who_follow_it(
    client: TestClient, assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    event = uploaded(user_id)
    publish_now(assembly, event)
    pipeline.work()

    followers = client.get(f"/events/{event.id}").json()["handlers"]

    states = {each["handler"]: each["state"] for each in followers}
    assert states == dict.fromkeys(("activity", "cache", "usage"), "done") | dict.fromkeys(
        ("analytics", "contacts"), "off"
    )


def test_what_was_not_owed_since_its_provider_was_off_is_never_called_done(
    client: TestClient, assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    event = uploaded(user_id)
    publish_now(assembly, event)
    pipeline.work()

    undecided = state_of(client, event, "analytics")
    switch(assembly, switch_on, "posthog")
    on = state_of(client, event, "analytics")
    owe_history(assembly, "analytics")
    replayed = state_of(client, event, "analytics")

    assert undecided == {
        "handler": "analytics",
        "state": "off",
        "attempts": None,
        "last_error": None,
        "due_at": None,
    }
    assert on == undecided
    assert replayed["state"] == "due"
    assert state_of(client, event, "usage")["state"] == "done"


def switch(assembly: Assembly, how: Callable[[Connection, str], None], provider: str) -> None:
    with assembly.engine.begin() as connection:
        how(connection, provider)


def owe_history(assembly: Assembly, handler: str) -> None:
    with assembly.engine.begin() as connection:
        replay.owe_history(connection, Selection(handler), None)


def test_an_unknown_event_is_not_found(client: TestClient) -> None:
    answer = client.get(f"/events/{uuid4()}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_its_deliveries_are_found_by_primary_key(assembly: Assembly, user_id: UUID) -> None:
    event = uploaded(user_id)
    publish_now(assembly, event)
    with assembly.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = text("EXPLAIN " + OF_EVENT.text)
        plan = connection.scalars(explain, {"id": event.id, "type": event.type}).all()

    assert any("deliveries_pkey" in line for line in plan)
