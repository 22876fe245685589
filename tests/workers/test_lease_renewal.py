"""Leases are renewed while external work runs, and given back when it must stop."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from events import Event
from models.connections import connect, session_factory
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline
from workers.broker.actors import batch_of
from workers.lease_renewal import LeaseRenewal, RunningWork


def make_due(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now()"))


def test_the_lease_of_external_work_is_extended_while_it_runs(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def take_long(_batch: Sequence[Event]) -> None:
        make_due(assembly)
        for work in pipeline.renewal.running():
            pipeline.renewal.renew(work)
        assert pipeline.lease() == []

    effect = FakeEffect(take_long)
    pipeline.follow(external_handler(effect))
    publish_now(assembly, *predictions_made(3))

    pipeline.work()

    assert len(effect.calls) == 1
    assert pipeline.owed() == []
    assert pipeline.renewal.running() == []


def test_work_that_must_stop_in_the_middle_is_due_again_at_once_at_no_cost(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    seen: list[tuple[bool, int, bool]] = []

    def be_stopped(_batch: Sequence[Event]) -> None:
        pipeline.renewal.give_back()
        (row,) = pipeline.owed()
        seen.append((row.leased, row.attempts, row.due_at <= datetime.now(UTC) + timedelta(1)))

    pipeline.follow(external_handler(FakeEffect(be_stopped), batch=1))
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()

    pipeline.deliver(message)

    assert seen == [(False, 0, True)]


def test_the_attempt_of_stopped_work_that_was_charged_first_is_given_back(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    attempts: list[int] = []

    def be_stopped(_batch: Sequence[Event]) -> None:
        attempts.append(pipeline.owed()[0].attempts)
        pipeline.renewal.give_back()
        attempts.append(pipeline.owed()[0].attempts)

    pipeline.follow(external_handler(FakeEffect(be_stopped), batch=1))
    publish_now(assembly, *predictions_made())
    pipeline.lease()
    pipeline.pass_time()
    (message,) = pipeline.lease()

    pipeline.deliver(message)

    assert attempts == [1, 0]


def test_renewal_goes_on_after_a_database_that_only_reads(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(external_handler(FakeEffect(), batch=1))
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()
    url = assembly.settings.postgres_url
    read_only = f"{url}{'&' if '?' in url else '?'}options=-c%20default_transaction_read_only%3Don"
    reader = connect(read_only)
    tries = threading.Semaphore(0)

    class CountingRenewal(LeaseRenewal):
        def renew(self, work: RunningWork) -> None:
            tries.release()
            super().renew(work)

    renewal = CountingRenewal(session_factory(reader), 0.02)
    renewal.start()

    with renewal.renewing(pipeline.handlers["external"], batch_of(message).leases):
        for _ in range(3):
            assert tries.acquire(timeout=10)

    assert renewal.is_alive()
    renewal.stop()
    renewal.join()
    reader.dispose()
