"""The circuit breaker: open while the provider is down, probed by one delivery, closed again."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from errors import KeyRefused, ProviderDown
from handlers import Reject, RetryLater
from models.handlers import circuit_breaker
from models.handlers.circuit_breaker import FAILURES_BEFORE_OPEN
from models.providers import switch_on
from models.server import database_time
from runtime.assembly import Assembly
from services.answers import count_answer
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler, raising, transactional_handler
from tests.models.concurrency import meanwhile
from tests.pipeline import Pipeline


def provider_down() -> ProviderDown:
    return ProviderDown("it is away")


def handler_row(assembly: Assembly, name: str) -> Any:
    with assembly.engine.connect() as connection:
        query = text("SELECT * FROM insights.handlers WHERE name = :name")
        return connection.execute(query, {"name": name}).one()


def test_each_failure_after_the_third_opens_the_circuit_for_twice_as_long(
    assembly: Assembly,
) -> None:
    pauses: list[float | None] = []
    just_opened = []
    for _ in range(9):
        with assembly.engine.begin() as connection:
            circuit = circuit_breaker.count_failure(connection, "emails")
            now = database_time(connection)
        until = circuit.open_until
        pauses.append(None if until is None else (until - now).total_seconds())
        just_opened.append(circuit.just_opened)

    assert pauses == [None, None, 2, 4, 8, 16, 32, 60, 60]
    assert just_opened.index(True) == FAILURES_BEFORE_OPEN - 1
    assert just_opened.count(True) == 1


def test_a_handler_that_was_retired_meanwhile_has_a_closed_circuit(
    connection: Connection,
) -> None:
    assert circuit_breaker.count_failure(connection, "retired") == (0, None)


def test_probe_again_leaves_a_closed_circuit_closed(
    connection: Connection, assembly: Assembly
) -> None:
    circuit_breaker.probe_again(connection, "emails")

    assert handler_row(assembly, "emails").resume_at is None


def test_a_provider_that_is_down_costs_no_attempt_and_gets_a_single_probe(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(provider_down))
    pipeline.follow(external_handler(effect, batch=10, max_attempts=2))
    publish_now(assembly, *predictions_made(100))
    for _ in range(4):
        pipeline.work()
        pipeline.pass_time()
    calls_until_open = len(effect.calls)

    assert calls_until_open == FAILURES_BEFORE_OPEN
    assert {(row.attempts, row.state) for row in pipeline.owed()} == {(0, "due")}

    for _ in range(50):
        pipeline.pass_time()
        pipeline.half_open_circuits()
        pipeline.work()
    assert [len(call) for call in effect.calls[3:]] == [1] * 50
    assert {row.attempts for row in pipeline.owed()} == {0}

    effect.behave = lambda _batch: None
    pipeline.pass_time()
    pipeline.half_open_circuits()
    pipeline.work()

    assert pipeline.owed() == []
    assert max(len(call) for call in effect.calls[53:]) == 10


def test_a_circuit_that_just_closed_is_not_opened_again_by_a_claim(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    handler = external_handler(FakeEffect(), batch=1)
    pipeline.follow(handler)
    publish_now(assembly, *predictions_made(3))
    for _ in range(FAILURES_BEFORE_OPEN):
        with assembly.engine.begin() as connection:
            circuit_breaker.count_failure(connection, handler.name)
    pipeline.half_open_circuits()

    with meanwhile(assembly, lambda: pipeline.answer(handler.name)) as worker:
        circuit_breaker.close(worker, handler.name)

    row = handler_row(assembly, handler.name)
    assert (row.failures_in_row, row.resume_at) == (0, None)


def test_the_circuit_of_a_transactional_handler_closes_too(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(provider_down))
    pipeline.follow(transactional_handler(effect, batch=1))
    publish_now(assembly, *predictions_made(3))
    for _ in range(FAILURES_BEFORE_OPEN):
        pipeline.work()
        pipeline.pass_time()
    assert handler_row(assembly, "transactional").resume_at is not None

    effect.behave = lambda _events: None
    pipeline.half_open_circuits()
    pipeline.work()

    assert handler_row(assembly, "transactional").resume_at is None
    assert pipeline.owed() == []


def test_an_answer_to_one_worker_closes_the_circuit_for_the_whole_fleet(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    (poison,) = predictions_made()
    pipeline.follow(external_handler(FakeEffect(raising(provider_down, {poison.id})), batch=1))
    publish_now(assembly, poison)
    pipeline.work()
    assert handler_row(assembly, "external").failures_in_row == 1
    other_worker = Pipeline(assembly, pipeline.handlers)
    publish_now(assembly, *predictions_made())

    other_worker.work()

    assert handler_row(assembly, "external").failures_in_row == 0


def test_a_probe_that_did_not_ask_the_provider_lets_another_one_go(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    not_asked = [Reject("it waits for an operator"), RetryLater(timedelta(hours=1), "not yet")]
    outcomes = iter([*(provider_down() for _ in range(FAILURES_BEFORE_OPEN)), *not_asked])

    def behave(_batch: Any) -> None:
        if outcome := next(outcomes, None):
            raise outcome

    pipeline.follow(external_handler(FakeEffect(behave), batch=1))
    publish_now(assembly, *predictions_made(5))
    for _ in range(FAILURES_BEFORE_OPEN):
        pipeline.pass_time()
        pipeline.runner.run_once(pipeline.handlers["external"])
    pipeline.half_open_circuits()
    pipeline.pass_time()

    pipeline.work()

    assert sorted(row.died_at is None for row in pipeline.owed()) == [False, True]


def test_a_refused_key_opens_the_circuit_is_reported_once_and_makes_no_dead_letter(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(assembly.sentry, "failed", lambda _work, error, **_: reported.append(error))
    effect = FakeEffect(raising(lambda: KeyRefused("It answers 401.")))
    pipeline.follow(external_handler(effect, batch=1, max_attempts=2))
    publish_now(assembly, *predictions_made(3))
    for _ in range(10):
        pipeline.half_open_circuits()
        pipeline.pass_time()
        pipeline.work()

    assert [type(error) for error in reported] == [KeyRefused]
    assert {(row.attempts, row.died_at) for row in pipeline.owed()} == {(0, None)}


def test_work_that_never_asked_the_provider_leaves_its_circuit_open(
    pipeline_with_doubles: Pipeline,
) -> None:
    pipeline, effect = pipeline_with_doubles, FakeEffect(raising(provider_down))
    pipeline.follow(external_handler(effect, batch=1, provider="loops"))
    publish_now(pipeline.assembly, *predictions_made(5))
    for _ in range(FAILURES_BEFORE_OPEN):
        pipeline.work()
        pipeline.pass_time()

    effect.behave = lambda _events: None  # as of users who opted out
    pipeline.half_open_circuits()
    pipeline.runner.run_once(pipeline.handlers["external"])
    row = handler_row(pipeline.assembly, "external")
    assert row.failures_in_row == FAILURES_BEFORE_OPEN
    assert row.resume_at is not None

    effect.behave = lambda _events: count_answer()  # as a client does when it is answered
    pipeline.runner.run_once(pipeline.handlers["external"])
    row = handler_row(pipeline.assembly, "external")
    assert (row.failures_in_row, row.resume_at) == (0, None)


def test_probes_that_ask_nothing_follow_each_other_without_a_bell(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(provider_down))
    pipeline.follow(external_handler(effect, batch=10, provider="posthog"))
    with assembly.engine.begin() as connection:
        switch_on(connection, "posthog")
    publish_now(assembly, *predictions_made(5))
    for _ in range(FAILURES_BEFORE_OPEN):
        pipeline.pass_time()
        pipeline.runner.run_once(pipeline.handlers["external"])
    pipeline.half_open_circuits()
    pipeline.pass_time()
    with assembly.engine.begin() as connection:
        # What had setbacks is followed by another take in any case.
        connection.execute(text("UPDATE insights.deliveries SET setbacks = 0"))
    effect.calls.clear()
    effect.behave = lambda _batch: None

    pipeline.answer("external")

    assert [len(call) for call in effect.calls] == [1] * 5
