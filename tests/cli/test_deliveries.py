"""`insights deliveries`."""

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import PredictionMade, UserSignedUp, uuid7
from runtime.assembly import Assembly
from tests.cli.conftest import Insights, flat, let_die
from tests.factories import publish_now

ONLY_USAGE = text("""
    DELETE FROM insights.deliveries
    WHERE handler <> (SELECT h.id FROM insights.handlers h WHERE h.name = 'usage')
""")
STATES = ["due", "leased", "waiting", "dead"]
CHANGES = {
    "due": "due_at = now() - interval '3 hours', leased = true",
    "leased": "due_at = now() + interval '20 seconds', leased = true, leases = 1",
    "waiting": "due_at = now() + interval '5 minutes', attempts = 2, last_error = '[/b] boom'",
    "dead": "died_at = now() - interval '2 days', attempts = 10, last_error = 'gone'",
}


@pytest.fixture
def states(assembly: Assembly) -> dict[str, UUID]:
    """One delivery of `usage` in each state: state → event."""
    events = {state: PredictionMade(user_id=uuid7(), model_id="m") for state in STATES}
    publish_now(assembly, *events.values())
    with assembly.engine.begin() as connection:
        connection.execute(ONLY_USAGE)
        for state, event in events.items():
            change = text(f"UPDATE insights.deliveries SET {CHANGES[state]} WHERE event_id = :id")
            connection.execute(change, {"id": event.id})
    return {state: event.id for state, event in events.items()}


def listed(insights: Insights, *arguments: object) -> list[dict[str, Any]]:
    output = json.loads(insights("deliveries", "--json", *arguments).stdout)
    return [dict(each) for each in output["deliveries"]]


def test_each_delivery_is_in_one_state(insights: Insights, states: dict[str, UUID]) -> None:
    found = {each["state"]: each["event_id"] for each in listed(insights)}

    assert found == {state: str(id_) for state, id_ in states.items()}


@pytest.mark.parametrize("state", STATES)
def test_deliveries_are_selected_by_state(
    insights: Insights, states: dict[str, UUID], state: str
) -> None:
    (only,) = listed(insights, "--state", state)

    assert (only["state"], only["event_id"]) == (state, str(states[state]))


def test_the_summary_counts_each_state(insights: Insights, states: dict[str, UUID]) -> None:
    output = json.loads(insights("deliveries", "--limit", 1, "--json").stdout)

    assert len(output["deliveries"]) == 1
    assert output["summary"] == dict.fromkeys(STATES, 1)


def test_the_table_says_since_when_or_in_how_long(
    insights: Insights, states: dict[str, UUID]
) -> None:
    shown = flat(insights("deliveries").stdout)

    assert "for 3 h" in shown
    assert "20 s left" in shown or "19 s left" in shown
    assert "in 5 min" in shown
    assert "2 d ago" in shown
    assert "[/b] boom" in shown
    assert "ready for a worker; the oldest for 3 h" in shown
    assert all(str(id_) in shown for id_ in states.values())


def test_deliveries_are_selected_by_handler_and_event(
    insights: Insights, assembly: Assembly
) -> None:
    user = uuid7()
    signed_up = UserSignedUp(user_id=user, email="a@b.co")
    made = PredictionMade(user_id=user, model_id="m")
    publish_now(assembly, signed_up, made)

    assert {each["event_id"] for each in listed(insights, "--event", made.id)} == {str(made.id)}
    profiles = listed(insights, "--handler", "profiles")
    assert [each["type"] for each in profiles] == ["user.signed_up"]


def test_of_many_only_the_longest_due_are_listed(insights: Insights, assembly: Assembly) -> None:
    events = [PredictionMade(user_id=uuid7(), model_id="m") for _ in range(60)]
    publish_now(assembly, *events)
    # They are due in the order of their ids, in which they were published.
    oldest = sorted(event.id for event in events)[30]
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.events SET recorded_at = now() - interval '1 h' WHERE id = :i"),
            {"i": oldest},
        )

    rows = listed(insights, "--handler", "usage")

    assert len(rows) == 50
    assert rows[0]["event_id"] == str(oldest)


def test_a_dead_letter_shows_its_error_and_how_to_go_on(
    insights: Insights, assembly: Assembly
) -> None:
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    let_die(assembly, "usage", "No profile has that id.")

    shown = flat(insights("deliveries", "--state", "dead").stdout)

    assert "No profile has that id." in shown
    assert "insights replay --dead" in shown


def test_an_unknown_handler_is_answered_with_a_list_of_handlers(insights: Insights) -> None:
    result = insights("deliveries", "--handler", "usages")

    assert result.exit_code == 1
    assert "No handler is called 'usages'. There are:" in flat(result.stderr)
    assert "usage" in flat(result.stderr)


def test_where_nothing_is_owed_only_the_summary_is_shown(insights: Insights) -> None:
    shown = insights("deliveries").stdout.splitlines()

    assert len(shown) == 5


def test_what_waits_for_another_handler_says_so(insights: Insights, assembly: Assembly) -> None:
    publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))

    shown = flat(insights("deliveries", "--handler", "cache").stdout)

    assert "for another handler" in shown
    assert "once another handler is done" in shown
    (cached,) = listed(insights, "--handler", "cache")
    assert cached["state"] == "waiting"
