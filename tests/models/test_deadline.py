"""A connection that only looks alive is given up; one that works is not."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models import deadline
from models.connections import connect, session_factory
from models.database_errors import Trouble, trouble_of
from models.deadline import Deadlines
from models.transactions import in_transaction
from runtime.assembly import Assembly
from tests.factories import libpq_url
from tests.freezing_proxy import FreezingProxy
from tests.waiting import wait_until

ANSWER = 0.5  # seconds
SLEEPERS = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(6%'")


@pytest.fixture
def proxy(assembly: Assembly) -> Iterator[FreezingProxy]:
    proxy = FreezingProxy(libpq_url(assembly.settings))
    yield proxy
    proxy.close()


@pytest.fixture
def engine_with(proxy: FreezingProxy) -> Iterator[Callable[[Deadlines], Engine]]:
    """An engine through the proxy, with one connection that has been used."""
    engines: list[Engine] = []
    url = proxy.url.get_secret_value().replace("postgresql://", "postgresql+psycopg://", 1)

    def make(deadlines: Deadlines) -> Engine:
        engines.append(connect(url, deadlines=deadlines))
        with engines[-1].connect() as connection:
            connection.execute(text("SELECT 1"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("frozen_at", ["the first statement", "a later statement", "the commit"])
def test_a_connection_without_an_answer_is_given_up(
    proxy: FreezingProxy, engine_with: Callable[[Deadlines], Engine], frozen_at: str
) -> None:
    engine = engine_with(Deadlines(answer=ANSWER))
    with engine.connect() as connection, capture_logs() as lines:
        if frozen_at != "the first statement":
            connection.execute(text("SELECT 1"))
        proxy.freeze()
        began = time.monotonic()
        with pytest.raises(OperationalError, match="did not answer") as caught:
            connection.commit() if frozen_at == "the commit" else connection.execute(
                text("SELECT :x"), {"x": 1}
            )
        took = time.monotonic() - began

    assert ANSWER <= took < ANSWER + 2
    assert trouble_of(caught.value) is Trouble.AWAY
    assert [line["event"] for line in lines] == ["database_connection_given_up"]
    assert proxy.frozen == 1


def test_work_goes_on_over_a_new_connection(
    proxy: FreezingProxy, engine_with: Callable[[Deadlines], Engine]
) -> None:
    """All that stood in the pool is replaced at the first that was given up."""
    engine = engine_with(Deadlines(answer=ANSWER))
    with engine.connect() as one, engine.connect() as two:
        for connection in (one, two):
            connection.execute(text("SELECT 1"))
    proxy.freeze()
    sessions = session_factory(engine)

    with capture_logs() as lines:
        for _ in range(3):
            assert in_transaction(sessions, lambda session: session.scalar(text("SELECT 1"))) == 1

    assert [line["event"] for line in lines] == ["database_connection_given_up"]


def test_a_statement_that_takes_too_long_ends_at_the_server_too(
    assembly: Assembly, engine_with: Callable[[Deadlines], Engine]
) -> None:
    engine = engine_with(Deadlines(answer=ANSWER))
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("SELECT pg_sleep(60)"))

    with assembly.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as observer:
        wait_until(lambda: observer.scalar(SLEEPERS) == 0)


def test_an_answer_that_keeps_coming_may_take_longer(
    engine_with: Callable[[Deadlines], Engine],
) -> None:
    slowly = text("SELECT pg_sleep(0.2), repeat('x', 20000) FROM generate_series(1, 6)")
    with engine_with(Deadlines(answer=ANSWER)).connect() as connection:
        assert len(connection.execute(slowly).all()) == 6


def test_without_a_deadline_an_answer_may_take_as_long_as_it_takes(
    engine_with: Callable[[Deadlines], Engine],
) -> None:
    with engine_with(Deadlines()).connect() as connection:
        connection.execute(text("SELECT pg_sleep(1)"))


def test_a_process_that_should_end_waits_no_longer_and_tries_no_more(
    engine_with: Callable[[Deadlines], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deadline.STOPPING_ANSWER < 5
    monkeypatch.setattr(deadline, "STOPPING_ANSWER", 0.3)
    stopped = threading.Event()
    sessions = session_factory(engine_with(Deadlines(30, stopped=stopped)), stopped)
    threading.Timer(0.3, stopped.set).start()
    tries = []

    def work(session: Session) -> None:
        tries.append(session)
        session.execute(text("SELECT pg_sleep(60)"))

    began = time.monotonic()
    with pytest.raises(OperationalError):
        in_transaction(sessions, work)

    assert 0.6 <= time.monotonic() - began < 3
    assert len(tries) == 1
