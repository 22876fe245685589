"""What is owed, as operators, the HTTP API and Prometheus see it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from events import uuid7
from models.deliveries import backlog
from models.deliveries.table import DeliveryState
from models.handlers.table import pause, register, remove
from runtime.assembly import Assembly
from tests.factories import owe
from tests.models.deliveries.conftest import HANDLER, Due
from tests.pipeline import Pipeline

# What makes a delivery stand in each state, however it got there.
STATES = {
    "published": ("due_at = now() - interval '3 hours'", DeliveryState.DUE),
    "its lease ended": ("due_at = now() - interval '1 hour', leased = true", DeliveryState.DUE),
    "its lease runs": ("due_at = now() + interval '20 s', leased = true", DeliveryState.LEASED),
    "in its back-off": ("due_at = now() + interval '5 min'", DeliveryState.WAITING),
    "dead": (
        "died_at = now() - interval '2 days', due_at = now() - interval '3 days'",
        DeliveryState.DEAD,
    ),
    "dead in its back-off": (
        "died_at = now(), due_at = now() + interval '1 hour'", DeliveryState.DEAD,
    ),
}  # fmt: skip


@pytest.fixture
def by_state(due: Due, connection: Connection) -> dict[str, UUID]:
    """One delivery of the handler per line of STATES."""
    ids = dict(zip(STATES, due(len(STATES)), strict=True))
    for name, (assignment, _) in STATES.items():
        change = text(f"UPDATE insights.deliveries SET {assignment} WHERE event_id = :id")
        connection.execute(change, {"id": ids[name]})
    return ids


def test_each_delivery_is_listed_in_its_state(
    by_state: dict[str, UUID], connection: Connection
) -> None:
    rows = backlog.listing(connection)

    states = {row.event_id: row.state for row in rows}
    assert states == {by_state[name]: state for name, (_, state) in STATES.items()}
    assert {row.type for row in rows} == {"prediction.made"}
    assert [row.due_in for row in rows] == sorted(row.due_in for row in rows)


@pytest.mark.parametrize("state", DeliveryState)
def test_deliveries_are_listed_by_state(
    state: DeliveryState, by_state: dict[str, UUID], connection: Connection
) -> None:
    found = {row.event_id for row in backlog.listing(connection, state=state)}

    assert found == {by_state[name] for name, (_, other) in STATES.items() if other is state}


def test_deliveries_are_listed_by_handler_and_event_up_to_a_bound(
    by_state: dict[str, UUID], connection: Connection
) -> None:
    dead = by_state["dead"]

    assert [row.event_id for row in backlog.listing(connection, event=dead)] == [dead]
    assert backlog.listing(connection, handler="usage") == []
    assert [row.event_id for row in backlog.listing(connection, at_most=1)] == [dead]


def test_the_summary_counts_each_state_and_the_age_of_the_oldest(
    by_state: dict[str, UUID], connection: Connection
) -> None:
    pause(connection, HANDLER)

    (row,) = backlog.summary(connection, HANDLER)

    assert (row.due, row.leased, row.waiting, row.dead) == (2, 1, 1, 2)
    assert row.paused
    assert row.oldest is not None
    assert row.oldest - timedelta(hours=3) < timedelta(minutes=1)


def test_the_summary_names_handlers_that_owe_nothing_and_those_that_are_unknown(
    connection: Connection,
) -> None:
    register(connection, ["renamed"])
    owe(connection, "renamed", uuid7())

    due = {row.handler: row.due for row in backlog.summary(connection)}

    remove(connection, "renamed")
    assert (due["renamed"], due["usage"]) == (1, 0)


def test_the_handlers_of_an_event_are_those_that_follow_it_and_those_that_still_owe(
    by_state: dict[str, UUID], connection: Connection, assembly: Assembly
) -> None:
    dead = by_state["dead"]
    owe(connection, "emails", dead)

    def found(event_id: UUID) -> dict[str, Any]:
        with assembly.sessions() as session:
            rows = backlog.handlers_of_event(session, event_id, "prediction.made")
        return {row.handler: (row.state, row.due_at is None) for row in rows}

    assert found(dead) == {"emails": ("due", False), HANDLER: ("dead", True)}
    connection.execute(text("DELETE FROM insights.deliveries"))
    assert found(dead) == {HANDLER: (None, True)}


def test_gauges_count_up_to_a_bound(by_state: dict[str, UUID], connection: Connection) -> None:
    counted = {row.handler: row for row in backlog.gauges(connection, most=100)}
    bounded = {row.handler: row for row in backlog.gauges(connection, most=1)}

    assert (counted[HANDLER].due, counted[HANDLER].dead) == (2, 2)
    assert counted[HANDLER].age_seconds == pytest.approx(3 * 3600, abs=60)
    assert (bounded[HANDLER].due, bounded[HANDLER].dead) == (1, 1)
    assert (counted["usage"].due, counted["usage"].age_seconds) == (0, 0)


def test_a_large_backlog_is_estimated(due: Due, connection: Connection, pipeline: Pipeline) -> None:
    due(3000)
    connection.execute(text("ANALYZE insights.deliveries"))

    assert backlog.estimated_due(connection, HANDLER) == pytest.approx(3000, rel=0.2)
    assert backlog.estimated_due(connection, "usage") < 100
