"""What a process has in hand is noted, and given back whatever becomes of its connection."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from events import Event, uuid7
from handlers import Reject
from models import batches
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
from workers.in_hand import InHand

MINE = "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'transactionid')"
KILL_TRANSACTIONS = f"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction' {MINE}
"""


class Moved(Exception):
    """What PostgreSQL says of a row that moved to another partition while it was waited for."""

    sqlstate = "40001"


def outcomes(assembly: Assembly) -> list[Any]:
    with assembly.engine.connect() as connection:
        query = "SELECT outcome, events FROM insights.batches ORDER BY id"
        return [tuple(row) for row in connection.execute(text(query))]


@BOTH_KINDS
def test_what_is_in_hand_is_noted_before_the_handler_begins(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    seen: list[Any] = []
    effect = FakeEffect(lambda _events: seen.extend(outcomes(assembly)))
    pipeline.follow(make_handler(effect))
    publish_now(assembly, *predictions_made(3))

    pipeline.work()

    assert seen == [(None, 3)]
    assert outcomes(assembly) == [("done", 3)]


def test_a_transaction_that_lost_its_connection_is_given_back_without_charge(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.runner.PAUSES_TROUBLE", ())

    def lose_the_connection(events: Sequence[Event]) -> None:
        if len(effect.calls) == 1:
            with assembly.notes.begin() as connection:
                connection.execute(text(KILL_TRANSACTIONS))

    effect = FakeEffect(lose_the_connection)
    pipeline.follow(transactional_handler(effect))
    publish_now(assembly, *predictions_made(3))

    pipeline.answer("transactional")
    rows = pipeline.owed()
    pipeline.work()

    assert {(row.attempts, row.setbacks, row.state) for row in rows} == {(0, 0, "due")}
    assert [len(call) for call in effect.calls] == [3, 3]
    assert outcomes(assembly) == [("rolled back", 3), ("done", 3)]
    assert pipeline.owed() == []


def test_what_cannot_be_ended_while_the_database_is_away_is_ended_later(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **_more: object) -> None:
        raise OperationalError("x", {}, Exception())

    pipeline.follow(external_handler(FakeEffect(), batch=10))
    publish_now(assembly, *predictions_made(3))
    with monkeypatch.context() as broken:
        broken.setattr("workers.external.in_transaction", away)
        broken.setattr("workers.in_hand.batches.close", away)
        broken.setattr("workers.runner.PAUSES_TROUBLE", ())
        pipeline.answer("external")
    assert outcomes(assembly) == [(None, 3)]

    pipeline.in_hand.end_unended()

    assert outcomes(assembly) == [("given back", 3)]
    assert {(row.attempts, row.setbacks, row.state) for row in pipeline.owed()} == {(0, 0, "due")}


def test_a_note_whose_answer_was_lost_is_found_and_given_back(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(external_handler(FakeEffect(), batch=10))
    publish_now(assembly, *predictions_made(2))
    with assembly.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO insights.batches (process, handler, events, ids, until, since) "
                "SELECT :process, handler_id, 2, array_agg(event_id), now() + interval '1 h', "
                "now() - interval '16 s' FROM insights.delivery_states GROUP BY handler_id"
            ),
            {"process": pipeline.process},
        )

    pipeline.in_hand.end_unknown()

    assert outcomes(assembly) == [("given back", 2)]


def test_what_is_in_hand_when_a_process_ends_is_given_back_and_fenced(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(lambda _events: pipeline.in_hand.give_back_all())
    pipeline.follow(external_handler(effect, batch=10))
    publish_now(assembly, *predictions_made(3))

    pipeline.runner.run_once(pipeline.handlers["external"])

    # What finished after that ended nothing: another worker may have begun.
    rows = pipeline.owed()
    assert {(row.attempts, row.setbacks, row.state) for row in rows} == {(0, 0, "due")}
    assert {row.leases for row in rows} == {2}


def test_a_process_is_alive_before_its_heartbeat_has_started(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.in_hand.begin("test")

    with assembly.engine.connect() as connection:
        query = "SELECT now() - seen_at < interval '5 s' FROM insights.processes WHERE id = :id"
        assert connection.scalar(text(query), {"id": pipeline.process})


def test_a_batch_is_ended_by_its_own_process_alone(assembly: Assembly, pipeline: Pipeline) -> None:
    other = InHand(assembly.engine, assembly.notes, uuid7())

    def end_for_another(_events: Sequence[Event]) -> None:
        with assembly.engine.connect() as connection:
            query = "SELECT id FROM insights.batches WHERE ended_at IS NULL"
            id_ = connection.scalars(text(query)).one()
        # As after a crash that made PostgreSQL forget that it had given this number before.
        other.end(id_, "given back")

    pipeline.follow(external_handler(FakeEffect(end_for_another), batch=10))
    publish_now(assembly, *predictions_made(3))

    pipeline.answer("external")

    assert outcomes(assembly) == [("done", 3)]
    assert pipeline.owed() == []


def test_what_is_given_back_at_the_end_is_so_although_a_batch_ends_just_then(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, tries = batches.close_all, []

    def moved_at_first(*given: Any) -> Any:
        tries.append(given)
        if len(tries) == 1:
            raise OperationalError("x", {}, Moved())
        return usual(*given)

    monkeypatch.setattr("workers.in_hand.batches.close_all", moved_at_first)
    effect = FakeEffect(lambda _events: pipeline.in_hand.give_back_all())
    pipeline.follow(external_handler(effect, batch=10))
    publish_now(assembly, *predictions_made(3))

    pipeline.runner.run_once(pipeline.handlers["external"])

    assert outcomes(assembly) == [("given back", 3)]


def test_work_whose_failure_cannot_be_written_does_not_go_round_for_ever(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **_more: object) -> None:
        raise ValueError

    effect = FakeEffect(raising(RuntimeError))
    pipeline.follow(external_handler(effect, batch=10, max_attempts=2))
    publish_now(assembly, *predictions_made(10))
    with monkeypatch.context() as broken:
        broken.setattr("workers.failures.failures.record", fail)
        for _ in range(40):
            with suppress(ValueError):
                pipeline.answer("external")
            pipeline.pass_time()

    assert min(row.attempts for row in pipeline.owed()) >= 2


@BOTH_KINDS
def test_a_failure_is_written_whatever_its_message_holds(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(make_handler(FakeEffect(raising(lambda: Reject("a\0b\ud800c")))))
    publish_now(assembly, *predictions_made())

    pipeline.work()

    assert [(row.state, row.last_error) for row in pipeline.owed()] == [("dead", "ab?c")]


def test_a_batch_whose_note_finds_no_connection_goes_without(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect()
    pipeline.follow(transactional_handler(effect))
    publish_now(assembly, *predictions_made(3))

    with assembly.notes.connect():  # the only one
        pipeline.answer("transactional")

    assert len(effect.seen) == 3
    assert pipeline.owed() == []
    assert outcomes(assembly) == []
