"""The runner handles what is due: the effect, and with it the end of the debt."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from events import Event, PredictionMade, UserLoggedIn
from handlers import Failed, transactional
from models.handlers.table import HandlerRow
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import (
    BOTH_KINDS,
    FakeEffect,
    external_handler,
    raising,
    transactional_handler,
)
from tests.pipeline import Pipeline


def ledger_rows(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM insights.usage_ledger")) or 0)


def causes_of_logins(assembly: Assembly) -> Sequence[tuple[UUID, UUID]]:
    """Correlation and causation of the follow-up events that tests publish."""
    with assembly.engine.connect() as connection:
        query = "SELECT correlation_id, causation_id FROM insights.events WHERE type LIKE 'user%'"
        return [(row[0], row[1]) for row in connection.execute(text(query))]


@BOTH_KINDS
def test_a_poisonous_event_fails_alone_and_the_others_are_done(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(37)
    pipeline.follow(make_handler(FakeEffect(raising(ValueError, {events[11].id}))))
    publish_now(assembly, *events)

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.event_id == events[11].id
    assert (owed.attempts, owed.state, owed.died_at) == (1, "waiting", None)
    assert "ValueError" in owed.last_error


def test_the_effect_of_a_failed_attempt_is_rolled_back(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(8)
    pipeline.follow(transactional_handler(FakeEffect(raising(ValueError, {events[0].id}))))
    publish_now(assembly, *events)

    pipeline.work()

    assert ledger_rows(assembly) == 7


@BOTH_KINDS
def test_one_event_of_a_batch_can_fail_by_itself(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(10)
    effect = FakeEffect(lambda _batch: {events[3].id: Failed("no such user")})
    pipeline.follow(make_handler(effect))
    publish_now(assembly, *events)

    pipeline.work()

    (owed,) = pipeline.owed()
    assert (owed.event_id, owed.attempts, owed.last_error) == (events[3].id, 1, "no such user")
    assert len(effect.calls) == 1


def test_an_external_effect_has_the_same_key_on_every_attempt(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(ValueError))
    pipeline.follow(external_handler(effect, batch=1))
    publish_now(assembly, *predictions_made())
    for _ in range(3):
        pipeline.work()
        pipeline.pass_time()

    assert len(effect.keys) == 3
    assert len(set(effect.keys)) == 1


def test_what_an_external_handler_returns_is_published_once(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(lambda batch: batch[0].follow(UserLoggedIn))
    pipeline.follow(external_handler(effect, batch=1))
    (event,) = predictions_made()
    publish_now(assembly, event)

    pipeline.answer("external")
    pipeline.answer("external")

    assert causes_of_logins(assembly) == [(event.id, event.id)]


def test_a_worker_that_lost_its_lease_neither_finishes_nor_publishes(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def lose_the_lease(batch: Sequence[Event]) -> Event:
        with assembly.engine.begin() as connection:
            connection.execute(text("UPDATE insights.deliveries SET leases = leases + 1"))
        return batch[0].follow(UserLoggedIn)

    pipeline.follow(external_handler(FakeEffect(lose_the_lease), batch=1))
    publish_now(assembly, *predictions_made())

    pipeline.answer("external")

    assert len(pipeline.owed()) == 1
    with assembly.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM insights.events")) == 1


def test_a_batch_leaves_a_row_that_says_what_became_of_it(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    events = predictions_made(8)
    poison = FakeEffect(raising(ValueError, {events[0].id}))
    pipeline.follow(transactional_handler(FakeEffect()), external_handler(poison))
    publish_now(assembly, *events)

    pipeline.work()

    with assembly.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT h.name, b.outcome, b.events, cardinality(b.ids), b.ended_at >= b.since, "
                "b.error FROM insights.batches b JOIN insights.handlers h ON h.id = b.handler "
                "ORDER BY h.name"
            )
        ).all()
    assert [row[:5] for row in rows] == [
        ("external", "partly", 8, 8, True),
        ("transactional", "done", 8, 8, True),
    ]
    assert rows[0].error.startswith("ValueError at ")


def test_a_database_that_is_away_during_the_work_costs_no_attempt(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Exception):
        sqlstate = None

    effect = FakeEffect(raising(lambda: OperationalError("x", {}, Gone())))
    pipeline.follow(external_handler(effect, batch=1, max_attempts=3))
    publish_now(assembly, *predictions_made())
    monkeypatch.setattr("workers.runner.PAUSES_TROUBLE", ())
    for _ in range(6):
        pipeline.answer("external")
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.setbacks, owed.died_at) == (0, 0, None)
    assert len(effect.calls) == 6


def test_a_statement_that_goes_wrong_is_a_failure_like_any_other(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def take_too_long(_events: Sequence[Event]) -> None:
        with assembly.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 1"))
            connection.execute(text("SELECT pg_sleep(1)"))

    pipeline.follow(external_handler(FakeEffect(take_too_long), batch=1))
    publish_now(assembly, *predictions_made())

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.attempts == 1
    assert owed.last_error.startswith("OperationalError")


@BOTH_KINDS
def test_deliveries_of_a_deleted_event_are_deleted(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(make_handler(FakeEffect(), batch=1))
    publish_now(assembly, *predictions_made(5))
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.events"))

    pipeline.work()

    assert pipeline.owed() == []


def test_what_was_said_of_an_event_in_a_savepoint_that_was_undone_counts_for_nothing(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    calls: list[int] = []

    @transactional("transactional", PredictionMade, batch=10)
    def fails_at_the_flush(events: Sequence[Event], session: Session) -> Any:
        calls.append(len(events))
        if len(calls) > 1:
            return None
        session.add(HandlerRow(name="transactional"))  # it is there
        return {events[0].id: Failed("no such user")}

    pipeline.follow(fails_at_the_flush)
    publish_now(assembly, *predictions_made(4))

    pipeline.work()

    assert calls == [4, 2, 2]
    assert pipeline.owed() == []
