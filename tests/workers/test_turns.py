"""How often a handler looks when it hears a bell: while there is more, once for bells too many."""

from collections.abc import Sequence
from typing import Any

from events import Event
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


def test_another_bell_does_not_begin_external_work_again(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def ring_again(_batch: Sequence[Event]) -> None:
        pipeline.answer("external")

    effect = FakeEffect(ring_again)
    pipeline.follow(external_handler(effect))
    publish_now(assembly, *predictions_made())

    pipeline.answer("external")

    assert len(effect.calls) == 1
    assert pipeline.owed() == []


@BOTH_KINDS
def test_further_bells_charge_no_attempt(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(ValueError))
    pipeline.follow(make_handler(effect))
    publish_now(assembly, *predictions_made())

    for _ in range(3):
        pipeline.answer(next(iter(pipeline.handlers)))

    assert [row.attempts for row in pipeline.owed()] == [1]
    assert len(effect.calls) == 1


@BOTH_KINDS
def test_one_bell_is_enough_for_all_that_is_due(
    make_handler: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect()
    pipeline.follow(make_handler(effect, batch=10))
    publish_now(assembly, *predictions_made(95))

    pipeline.answer(next(iter(pipeline.handlers)))

    assert sorted(map(len, effect.calls)) == [5, *[10] * 9]
    assert pipeline.owed() == []


def test_a_turn_ends_while_there_is_more_and_rings_for_another(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.runner.turn = 0.0
    rung: list[str] = []
    pipeline.runner.ring_again = lambda handler: rung.append(handler.name)
    pipeline.follow(transactional_handler(FakeEffect(), batch=10))
    publish_now(assembly, *predictions_made(25))

    pipeline.answer("transactional")

    assert rung == ["transactional"]
    assert len(pipeline.owed()) == 15


def test_a_bell_that_finds_no_free_place_has_the_running_one_look_once_more(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    more = predictions_made(2)

    def publish_more(_batch: Sequence[Event]) -> None:
        if more:
            publish_now(assembly, more.pop())
            pipeline.answer("external")  # there is no free place

    effect = FakeEffect(publish_more)
    pipeline.follow(external_handler(effect, concurrency=1))
    publish_now(assembly, *predictions_made())

    pipeline.answer("external")

    assert [len(call) for call in effect.calls] == [1, 1, 1]
    assert pipeline.owed() == []
