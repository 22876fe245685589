"""Two who reach for one delivery at the same moment, and servers that leave in the middle."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from dramatiq import Message
from dramatiq.errors import ConnectionClosed
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from errors import ProviderDown
from events import DatasetDeleted, Event, PredictionMade, uuid7
from handlers import transactional
from models.connections import connect, session_factory
from models.deliveries.lease import Lease, extend
from models.deliveries.take import claim, finish
from models.handlers import circuit_breaker
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.pipeline import Pipeline
from tests.workers.doing import Doing, calling, writing
from workers.lease_renewal import LeaseRenewal


@contextmanager
def meanwhile(assembly: Assembly, do: Callable[[], Any]) -> Iterator[Connection]:
    """An open transaction; `do` begins while it is open and ends after it."""
    with assembly.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        thread = threading.Thread(target=do)
        thread.start()
        time.sleep(0.2)
        transaction.commit()
        thread.join()


def handler_row(assembly: Assembly, name: str) -> Any:
    with assembly.engine.connect() as connection:
        query = text("SELECT * FROM insights.handlers WHERE name = :name")
        return connection.execute(query, {"name": name}).one()


def end_rest(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        over = "UPDATE insights.handlers SET resume_at = now() WHERE resume_at IS NOT NULL"
        connection.execute(text(over))


def down(_events: Sequence[Event]) -> None:
    raise ProviderDown("it is away")


def test_work_is_finished_although_its_lease_is_just_being_extended(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    handler = calling(Doing(), batch=1)
    pipeline.follow(handler)
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()
    owed = list(map(Lease, *message.args[:2]))
    with assembly.sessions.begin() as session:
        rows = claim(session, handler.name, owed, handler.lease, probe=False)
    held, finished = [each.lease for each in rows], []

    def finish_it() -> None:
        with assembly.sessions.begin() as session:
            finished.append(finish(session, handler.name, held))

    with meanwhile(assembly, finish_it) as other:
        extend(other, handler.name, held, handler.lease)

    assert len(finished[0]) == 1
    assert pipeline.owed() == []


def test_a_rest_that_just_ended_does_not_begin_again(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    handler = calling(Doing(), batch=1)
    pipeline.follow(handler)
    publish_now(assembly, *predictions_made(3))
    for _ in range(3):
        with assembly.engine.begin() as connection:
            circuit_breaker.count_failure(connection, handler.name)
    end_rest(assembly)

    with meanwhile(assembly, pipeline.lease) as worker:
        circuit_breaker.close(worker, handler.name)

    for raw in pipeline.queue.messages:
        pipeline.deliver(Message.decode(raw))
    row = handler_row(assembly, handler.name)
    assert (row.failures_in_row, row.resume_at) == (0, None)


def test_a_transactional_handler_recovers_from_its_rest_too(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    doing = Doing(down)
    pipeline.follow(writing(doing, batch=1))
    publish_now(assembly, *predictions_made(3))
    for _ in range(3):
        pipeline.work()
        pipeline.pass_time()
    assert handler_row(assembly, "writing").resume_at is not None

    doing.behave = lambda _events: None
    end_rest(assembly)
    pipeline.work()

    assert handler_row(assembly, "writing").resume_at is None
    assert pipeline.owed() == []


def test_a_database_that_is_away_in_the_middle_spends_no_attempt(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Exception):
        sqlstate = None

    def away(_events: Sequence[Event]) -> None:
        raise OperationalError("x", {}, Gone())

    monkeypatch.setattr("models.transactions.PAUSES", ())
    pipeline.follow(calling(Doing(away), batch=1, max_attempts=3))
    publish_now(assembly, *predictions_made())
    for _ in range(6):
        for message in pipeline.lease():
            pipeline.deliver(message)
        pipeline.pass_time()

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)


def test_a_statement_that_goes_wrong_is_a_failure_like_any_other(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    def take_too_long(_events: Sequence[Event]) -> None:
        with assembly.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 1"))
            connection.execute(text("SELECT pg_sleep(1)"))

    pipeline.follow(calling(Doing(take_too_long), batch=1))
    publish_now(assembly, *predictions_made())

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.attempts == 1
    assert owed.last_error.startswith("OperationalError")


def test_lease_renewal_outlives_a_database_that_only_reads(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(calling(Doing(), batch=1))
    publish_now(assembly, *predictions_made())
    (message,) = pipeline.lease()
    url = assembly.settings.postgres_url
    read_only = f"{url}{'&' if '?' in url else '?'}options=-c%20default_transaction_read_only%3Don"
    reader = connect(read_only)
    renewal = LeaseRenewal(session_factory(reader), 0.02)
    renewal.start()

    with renewal.renewing(pipeline.handlers["calling"], list(map(Lease, *message.args[:2]))):
        time.sleep(0.3)

    assert renewal.is_alive()
    renewal.stop()
    renewal.join()
    reader.dispose()


@pytest.mark.parametrize("kind", [writing, calling])
def test_what_is_owed_to_an_event_that_is_gone_is_forgotten(
    kind: Any, assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(kind(Doing(), batch=1))
    publish_now(assembly, *predictions_made(5))
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.events"))

    pipeline.work()

    assert pipeline.owed() == []


def test_an_older_worker_leaves_to_newer_ones_what_it_does_not_know(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    @transactional("evolving", PredictionMade, DatasetDeleted, batch=10)
    def new(events: Sequence[Event], session: Any) -> None: ...

    @transactional("evolving", PredictionMade, batch=10)
    def old(events: Sequence[Event], session: Any) -> None: ...

    pipeline.follow(new)
    publish_now(assembly, DatasetDeleted(user_id=uuid7(), dataset_id="d"))
    messages = pipeline.lease()
    pipeline.handlers = {"evolving": old}
    for message in messages:
        pipeline.deliver(message)

    (owed,) = pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)
    assert "older than the map" in owed.last_error


def test_a_broker_that_is_away_does_not_hide_who_killed_a_process(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ConnectionClosed(Exception("x"))  # type: ignore[no-untyped-call]

    pipeline.follow(writing(Doing(), batch=100))
    publish_now(assembly, *predictions_made(3))
    pipeline.lease()
    pipeline.pass_time()
    with monkeypatch.context() as broken:
        broken.setattr(pipeline.queue, "send", away)
        with pytest.raises(ConnectionClosed):
            pipeline.relay.relay()

    messages = pipeline.lease()

    assert [len(message.args[0]) for message in messages] == [1, 1, 1]
    assert all(message.args[2] for message in messages)


def test_a_broker_that_was_away_is_asked_before_anything_is_leased_for_it(
    assembly: Assembly, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ConnectionClosed(Exception("x"))  # type: ignore[no-untyped-call]

    pipeline.follow(writing(Doing()))
    publish_now(assembly, *predictions_made(3))
    for name in ("send", "depths"):
        monkeypatch.setattr(pipeline.queue, name, away)
    for _ in range(5):
        with pytest.raises(ConnectionClosed):
            pipeline.relay.relay()

    assert {row.leases for row in pipeline.owed()} == {1}
