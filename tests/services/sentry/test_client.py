"""What Sentry is sent: failures that matter, once, and traces up to the provider."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import sentry_sdk

from errors import ProviderDown
from events import Event, PredictionMade, TrainingRequested
from handlers import Handler, Reject, RetryLater, external
from handlers.prune import prune_events
from handlers.usage import count_usage
from sandbox.client import SandboxClient
from services import Services
from tests.factories import publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline
from tests.services.sentry.sandbox_process import reports
from workers.scheduler import Scheduler

CANARY = "canary-7f3a"
ADDRESS = f"{CANARY}@example.com"


def made(user: UUID) -> PredictionMade:
    return PredictionMade(user_id=user, model_id="m")


def run(pipeline: Pipeline, handler: Handler, *events: Event, times: int = 1) -> None:
    pipeline.follow(handler)
    publish_now(pipeline.assembly, *events)
    for _ in range(times):
        pipeline.work()
        pipeline.pass_time()


def raising(make: Callable[[], Exception]) -> Callable[[Sequence[Event]], Any]:
    def fail(_events: Sequence[Event]) -> None:
        raise make()

    return fail


def test_a_failure_is_reported_at_its_first_try_and_when_it_is_given_up(
    watched: Pipeline, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    event = made(user_id)
    run(watched, external_handler(FakeEffect(raising(ValueError)), max_attempts=5), event, times=6)

    first, last = reports(sentry_sandbox)

    assert [each["tags"]["dead"] for each in (first, last)] == ["false", "true"]
    assert (
        first["fingerprint"]
        == last["fingerprint"]
        == ["external", "ValueError", "test_client.py:fail"]
    )
    assert first["user"] == {"id": str(user_id)}
    assert first["tags"]["handler"] == "external"
    assert first["contexts"]["delivery"] == {
        "id": str(event.id),
        "lease": 1,
        "count": 1,
        "correlation_id": str(event.id),
    }
    assert (first["release"], first["environment"]) == ("insights@1.2.3", "test")


@pytest.mark.parametrize(
    ("error", "count"),
    [
        (lambda: ProviderDown("away"), 0),
        (lambda: RetryLater(timedelta(seconds=1)), 0),
        (lambda: Reject("hopeless"), 1),
    ],
    ids=["down", "later", "hopeless"],
)
def test_only_what_matters_is_reported(
    error: Callable[[], Exception],
    count: int,
    watched: Pipeline,
    sentry_sandbox: SandboxClient,
    user_id: UUID,
) -> None:
    pipeline = watched
    pipeline.follow(external_handler(FakeEffect(raising(error))))
    publish_now(pipeline.assembly, made(user_id))
    pipeline.work()

    assert len(reports(sentry_sandbox)) == count


def test_one_poisonous_event_of_many_is_one_report(
    watched: Pipeline, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    events = [made(user_id) for _ in range(30)]

    def choke(batch: Sequence[Event]) -> None:
        if events[7].id in {event.id for event in batch}:
            raise ValueError(ADDRESS)

    run(watched, external_handler(FakeEffect(choke)), *events)

    (report,) = reports(sentry_sandbox)
    assert report["contexts"]["delivery"]["id"] == str(events[7].id)


def test_a_training_is_described(
    watched: Pipeline, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    @external("learner", TrainingRequested)
    def learn(event: TrainingRequested, services: Services, key: str) -> None:
        raise ZeroDivisionError

    event = TrainingRequested(
        user_id=user_id, training_id="t-1", dataset_id="d-1", target="y", model_name="M",
        hyperparameters={"depth": 3}, problem_type="regression",
    )  # fmt: skip
    run(watched, learn, event)

    (report,) = reports(sentry_sandbox)
    assert report["contexts"]["training"] == {
        "training_id": "t-1",
        "dataset_id": "d-1",
        "algorithm": "random_forest",
        "problem_type": "regression",
        "hyperparameters": {"depth": 3},
    }
    assert report["tags"]["algorithm"] == "random_forest"
    assert report["tags"]["problem_type"] == "regression"


def test_a_trace_runs_from_the_publisher_to_the_provider(
    watched: Pipeline, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    def call_out(_events: Sequence[Event]) -> None:
        httpx.get(f"{sentry_sandbox.url}/sandbox/faults?token={CANARY}")

    watched.follow(external_handler(FakeEffect(call_out)))
    with sentry_sdk.start_transaction(op="http.server", name="publisher") as publisher:
        publish_now(watched.assembly, made(user_id))
    watched.work()

    transactions = {each["transaction"]: each for each in reports(sentry_sandbox, "transactions")}
    handled = transactions["external"]
    assert handled["contexts"]["trace"]["trace_id"] == publisher.trace_id
    spans = {span["op"]: span for span in handled["spans"]}
    assert {"queue.relay", "queue.receive", "function", "http.client"} <= spans.keys()
    assert spans["http.client"]["description"].startswith("GET http://127.0.0.1")


def test_a_slow_query_is_a_span_without_its_parameters(
    watched: Pipeline, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    run(watched, count_usage, made(user_id))

    (handled,) = reports(sentry_sandbox, "transactions")
    queries = [span["description"] for span in handled["spans"] if span["op"] == "db"]
    assert any("insights.count_usage" in query for query in queries)
    assert not any(str(user_id) in query or user_id.hex in query for query in queries)


def test_a_scheduled_job_checks_in(watched: Pipeline, sentry_sandbox: SandboxClient) -> None:
    watched.follow(prune_events)
    Scheduler(
        watched.assembly.settings, watched.assembly.publish, watched.assembly.database_time
    ).tick(datetime.now(UTC))
    watched.work()

    statuses = [
        (each["monitor_slug"], each["status"]) for each in reports(sentry_sandbox, "check_ins")
    ]
    assert statuses == [("prune", "in_progress"), ("prune", "ok")]


def test_no_header_of_ours_reaches_a_provider(
    watched: Pipeline, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    seen: list[httpx.Headers] = []

    def call_out(_events: Sequence[Event]) -> None:
        seen.append(httpx.get(f"{sentry_sandbox.url}/sandbox/faults").request.headers)

    run(watched, external_handler(FakeEffect(call_out)), made(user_id))

    assert not {"sentry-trace", "baggage", "traceparent"} & set(seen[0])


def test_without_a_dsn_nothing_is_done(
    pipeline: Pipeline, sentry_sandbox: SandboxClient, user_id: UUID
) -> None:
    sentry_sandbox.reset()
    run(pipeline, external_handler(FakeEffect(raising(ValueError)), max_attempts=1), made(user_id))

    assert pipeline.assembly.sentry.traceparent() is None
    assert reports(sentry_sandbox) == []
