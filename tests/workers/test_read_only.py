"""A database that takes no writes is away: everybody waits, nothing is charged, nobody ends."""

import threading

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from events import uuid7
from runtime.assembly import Assembly
from runtime.web import make_app
from tests.factories import predictions_made, publish_now, read_only
from tests.fake_handlers import FakeEffect, external_handler, transactional_handler
from tests.pipeline import Pipeline
from workers.scheduler import JOBS, Scheduler


@pytest.fixture(autouse=True)
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.transactions.PAUSES_AWAY", (0.01,))
    monkeypatch.setattr("workers.runner.PAUSES_TROUBLE", ())


@pytest.mark.parametrize("kind", [transactional_handler, external_handler])
def test_work_costs_no_attempt_and_is_done_when_writes_are_taken_again(
    kind: type, assembly: Assembly, pipeline: Pipeline
) -> None:
    effect = FakeEffect()
    pipeline.follow(kind(effect, batch=1))
    (event,) = predictions_made()
    publish_now(assembly, event)
    with read_only(assembly):
        pipeline.answer(next(iter(pipeline.handlers)))
    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)

    pipeline.pass_time()
    pipeline.work()

    assert pipeline.owed() == []
    assert set(effect.seen) == {event.id}


def test_the_scheduler_waits_and_publishes_when_writes_are_taken_again(
    assembly: Assembly,
) -> None:
    stopped = threading.Event()
    scheduler = Scheduler(assembly.settings, assembly.publish, assembly.database_time, 0.02)
    running = threading.Thread(target=scheduler.run, args=(stopped,))
    with read_only(assembly):
        running.start()
        stopped.wait(0.3)
        assert running.is_alive()
        assert scheduler.published == {}
        stopped.set()
        running.join()

    scheduler.tick(scheduler.clock())

    assert len(scheduler.published) == len(JOBS)


def test_publishing_over_http_is_503_and_nobody_is_told_that_we_are_ready(
    assembly: Assembly,
) -> None:
    key = {"Authorization": "Bearer a-key-for-the-tests"}
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/platform",
        "type": "prediction.made",
        "subject": str(uuid7()),
        "data": {"model_id": "m"},
    }
    headers = key | {"Content-Type": "application/cloudevents+json"}
    with read_only(assembly), TestClient(make_app(assembly.settings)) as client:
        published = client.post("/events", json=event, headers=headers)
        ready = client.get("/readyz")

    assert published.status_code == 503
    assert published.headers["Retry-After"]
    assert ready.status_code == 503
    assert "takes no writes now" in ready.text


def test_a_row_that_another_transaction_holds_is_not_the_event_s_failure(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    """It comes back by itself, is named with its SQLSTATE, and its neighbours are done."""

    def update(_events: object) -> None:
        with assembly.engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
            connection.execute(
                text("SELECT FROM insights.handlers WHERE name = 'usage' FOR UPDATE")
            )

    pipeline.follow(external_handler(FakeEffect(update), batch=1))
    publish_now(assembly, *predictions_made())
    with assembly.engine.begin() as holder:
        holder.execute(text("SELECT FROM insights.handlers WHERE name = 'usage' FOR UPDATE"))
        pipeline.work()

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at, owed.setbacks) == (0, None, 1)
    assert owed.last_error.startswith("OperationalError LockNotAvailable (55P03) at test_read_only")

    pipeline.pass_time()
    pipeline.work()
    assert pipeline.owed() == []
