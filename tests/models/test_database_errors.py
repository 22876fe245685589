"""What an error of the database means, by real errors of a real server."""

import socket
import struct
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors as postgres_errors
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from models.connections import TransactionTimeouts, connect
from models.database_errors import Trouble, sqlstate_of, trouble_of
from runtime.assembly import Assembly

AWAY, CONFLICT, ENDED = Trouble.AWAY, Trouble.CONFLICT, Trouble.ENDED


@pytest.mark.parametrize(
    ("sqlstate", "expected"),
    [
        ("08006", AWAY),  # connection failure
        ("25006", AWAY),  # read-only
        ("53100", AWAY),  # disk full
        ("53200", AWAY),  # out of memory
        ("53300", AWAY),  # too many connections
        ("57P01", AWAY),  # shutting down
        ("57P02", AWAY),  # crashed
        ("57P03", AWAY),  # starting up, or recovering
        ("58000", AWAY),  # a pooler's own error
        ("58030", AWAY),  # I/O error
        ("40001", CONFLICT),  # serialization failure
        ("40P01", CONFLICT),  # deadlock
        ("55P03", CONFLICT),  # lock time-out
        ("25P03", ENDED),  # idle in transaction
        ("57P05", ENDED),  # idle session
        ("57014", None),  # a statement time-out that the statement's author set
        ("23505", None),  # unique violation
        ("42601", None),  # syntax error
    ],
)
def test_an_error_is_classified_by_its_sqlstate(sqlstate: str, expected: Trouble | None) -> None:
    original = postgres_errors.lookup(sqlstate)("as PostgreSQL words it")
    error = DBAPIError.instance("SELECT 1", None, original, psycopg.Error)

    assert trouble_of(error) is expected


def test_a_refused_connection_is_away() -> None:
    nowhere = connect("postgresql+psycopg://postgres@127.0.0.1:1/none")
    with pytest.raises(DBAPIError) as caught:
        nowhere.connect()

    assert trouble_of(caught.value) is AWAY


def test_a_value_that_cannot_be_sent_is_no_trouble_of_the_database(shared: Assembly) -> None:
    with shared.engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT :x"), {"x": object()})

    assert trouble_of(caught.value) is None


@pytest.fixture
def small(shared: Assembly) -> Iterator[Engine]:
    """One connection, whose transactions may stand idle for a moment only."""
    timeouts = TransactionTimeouts(idle=0.2, lock=0.1)
    engine = connect(shared.settings.postgres_url, size=1, timeouts=timeouts)
    yield engine
    engine.dispose()


def test_a_pool_without_a_free_connection_is_away(
    small: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small.pool, "_timeout", 0.05)
    with small.connect(), pytest.raises(PoolTimeout) as caught:
        small.connect()

    assert trouble_of(caught.value) is AWAY


def test_a_transaction_that_stands_idle_is_ended_and_frees_its_locks(
    small: Engine, shared: Assembly
) -> None:
    lock = text("SELECT FROM insights.handlers WHERE name = 'usage' FOR UPDATE")
    with small.connect() as frozen:
        frozen.execute(lock)
        with shared.engine.begin() as other:
            other.execute(lock)  # waits until the frozen one is ended
        with pytest.raises(DBAPIError) as caught:
            frozen.execute(text("SELECT 1"))

    assert trouble_of(caught.value) is ENDED


def test_a_lock_is_not_waited_for_longer_than_the_time_out(small: Engine, shared: Assembly) -> None:
    lock = text("SELECT FROM insights.handlers WHERE name = 'usage' FOR UPDATE")
    with shared.engine.begin() as holder:
        holder.execute(lock)
        with pytest.raises(DBAPIError) as caught, small.begin() as waiting:
            waiting.execute(lock)

    assert trouble_of(caught.value) is CONFLICT


class RefusingPooler:
    """Lets everybody log in, and answers what is asked by ending the session, as Supavisor does."""

    REFUSAL = b"SFATAL\0VFATAL\0CXX000\0M(ECHECKOUTTIMEOUT) unable to check out a connection\0\0"

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self) -> None:
        with self.listening.accept()[0] as client:
            client.recv(8)  # whether we speak TLS
            client.sendall(b"N")
            client.recv(1024)  # who logs in
            authenticated, ready = message(b"R", bytes(4)), message(b"Z", b"I")
            client.sendall(authenticated + ready)
            client.recv(1024)
            client.sendall(message(b"E", self.REFUSAL))


def message(kind: bytes, body: bytes) -> bytes:
    """A message of PostgreSQL's protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def test_a_pooler_that_ends_the_session_is_away_whatever_its_sqlstate() -> None:
    pooler = RefusingPooler()
    engine = connect(f"postgresql+psycopg://me@127.0.0.1:{pooler.port}/none")
    with pooler.listening, pytest.raises(DBAPIError) as caught, engine.connect() as connection:
        connection.execute(text("SELECT 1"))

    assert sqlstate_of(caught.value) == "XX000"
    assert trouble_of(caught.value) is AWAY
