"""Relay and runner count what they ring for, take, do, fail at and give up."""

from errors import ProviderDown
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler, raising
from tests.pipeline import Pipeline


def counted(pipeline: Pipeline, outcome: str) -> float | None:
    labels = {"handler": "external", "outcome": outcome}
    return pipeline.registry.get_sample_value("insights_deliveries_total", labels)


def test_each_delivery_is_counted_by_its_outcome(assembly: Assembly, pipeline: Pipeline) -> None:
    events = predictions_made(5)
    effect = FakeEffect(raising(ValueError, {events[0].id}))
    pipeline.follow(external_handler(effect, max_attempts=2))
    publish_now(assembly, *events)

    for _ in range(2):
        pipeline.work()
        pipeline.pass_time()

    assert [counted(pipeline, outcome) for outcome in ("done", "failed", "dead")] == [4, 2, 1]
    leased = pipeline.registry.get_sample_value("insights_leased_total", {"handler": "external"})
    assert leased == 6


def test_a_provider_that_is_down_is_no_failure_of_the_handler(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect(raising(lambda: ProviderDown("it is away")))
    pipeline.follow(external_handler(effect))
    publish_now(assembly, *predictions_made())

    pipeline.work()

    assert [counted(pipeline, outcome) for outcome in ("done", "failed", "dead")] == [None] * 3


def test_passes_and_batches_are_measured(assembly: Assembly, pipeline: Pipeline) -> None:
    pipeline.follow(external_handler(FakeEffect(), batch=2))
    publish_now(assembly, *predictions_made(3))

    pipeline.work()

    batches = pipeline.registry.get_sample_value(
        "insights_handling_seconds_count", {"handler": "external"}
    )
    assert batches == 2
    assert pipeline.registry.get_sample_value("insights_relay_passes_total") == 1
    assert pipeline.registry.get_sample_value("insights_bells_total", {"handler": "external"}) == 2
