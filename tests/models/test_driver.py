"""Our settings hold in every transaction, whatever a server or role has set, at no round trip."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from models.connections import connect
from models.database_errors import Trouble, sqlstate_of, trouble_of
from tests.factories import Servers, new_database
from tests.pgbouncer import pgbouncer

# What somebody may have set for a database or a role, and what we make of it.
ODD = {
    "statement_timeout": ("3s", "0"),
    "lock_timeout": ("3s", "10s"),
    "idle_in_transaction_session_timeout": ("3s", "10s"),
    "default_transaction_isolation": ("serializable", None),
    "TimeZone": ("Asia/Tokyo", "UTC"),
    "DateStyle": ("SQL, DMY", "ISO, YMD"),
    "IntervalStyle": ("sql_standard", "postgres"),
    "row_security": ("off", "on"),
    "jit": ("on", "off"),
    "synchronous_commit": ("off", "on"),
}
NEW_YEAR = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)  # in Tokyo, it is the next year
SETTINGS = text(
    "SELECT " + ", ".join(f"current_setting('{name}') AS \"{name}\"" for name in ODD)
    + ", current_setting('transaction_isolation') AS isolation, CAST(:time AS timestamptz) AS time"
)  # fmt: skip


@pytest.fixture(scope="module", params=["direct", "pooled"])
def odd(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Engine]:
    """Connections to a database in which everything is set otherwise."""
    with new_database(servers.database_url) as url:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("CREATE TABLE numbers (number integer)")
            admin.execute("CREATE TABLE ones (one integer UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            for name, (value, _) in ODD.items():
                admin.execute(f"ALTER DATABASE {admin.info.dbname} SET {name} = '{value}'".encode())
        with through(request.param, url) as reachable:
            engine = connect(reachable.replace("postgresql://", "postgresql+psycopg://", 1))
            yield engine
            engine.dispose()


@contextmanager
def through(way: str, url: str) -> Iterator[str]:
    if way == "direct":
        yield url
    else:
        with pgbouncer(url) as pooler:
            yield pooler


def fail(connection: Connection) -> None:
    savepoint = connection.begin_nested()
    with pytest.raises(DBAPIError):
        connection.execute(text("SELECT 1/0"))
    savepoint.rollback()


def end_in_failure(connection: Connection) -> None:
    with pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT 1/0"))
    assert sqlstate_of(caught.value) == "22012"
    connection.rollback()


BEFORE: dict[str, Callable[[Connection], object]] = {
    "nothing": lambda _connection: None,
    "a statement": lambda connection: connection.execute(text("SELECT 1")),
    "several commands": lambda connection: connection.execute(text("SELECT 1; SELECT 2")),
    "one statement with many rows": lambda connection: connection.execute(
        text("INSERT INTO numbers VALUES (:number)"), [{"number": 1}, {"number": 2}]
    ),
    "a savepoint that was rolled back": fail,
    "a transaction that was rolled back": lambda connection: connection.rollback(),
    "a transaction whose first statement failed": end_in_failure,
}


@pytest.mark.parametrize("before", BEFORE)
def test_what_a_role_has_set_changes_no_transaction(odd: Engine, before: str) -> None:
    with odd.connect() as connection:
        BEFORE[before](connection)
        assert_ours(connection)


def test_what_a_role_has_set_changes_no_statement_in_autocommit_mode(odd: Engine) -> None:
    with odd.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(2):
            assert_ours(connection)
    with odd.connect() as connection:  # the mode ends with the block
        assert_ours(connection)


def assert_ours(connection: Connection) -> None:
    found = connection.execute(SETTINGS, {"time": NEW_YEAR}).mappings().one()
    wanted = {name: ours for name, (_, ours) in ODD.items() if ours is not None}
    assert {name: found[name] for name in wanted} == wanted
    assert found["isolation"] == "read committed"
    assert (found["time"], found["time"].year) == (NEW_YEAR, 2025)


def test_a_stricter_commit_of_a_role_stays(servers: Servers) -> None:
    with new_database(servers.database_url) as url:
        with psycopg.connect(url, autocommit=True) as admin:
            name = admin.info.dbname
            admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = remote_apply".encode())
        engine = connect(url.replace("postgresql://", "postgresql+psycopg://", 1))
        with engine.connect() as connection:
            assert connection.scalar(text("SHOW synchronous_commit")) == "remote_apply"
        engine.dispose()


def test_nothing_that_fails_in_autocommit_mode_stays(odd: Engine) -> None:
    with odd.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("TRUNCATE ones"))
        with pytest.raises(IntegrityError):  # at the commit, which travels along
            connection.execute(text("INSERT INTO ones SELECT 1 FROM generate_series(1, 2)"))
        with pytest.raises(ProgrammingError):
            connection.execute(text("INSERT INTO nowhere VALUES (1)"))
        connection.execute(text("INSERT INTO ones VALUES (:one)"), {"one": 1})

        assert connection.scalar(text("SELECT count(*) FROM ones")) == 1
        connection.execute(text("VACUUM ones;"))  # refused in a transaction


def test_settings_cost_no_round_trip(odd: Engine) -> None:
    with odd.connect() as connection, traced(connection) as trips:
        connection.execute(text("SELECT CAST(:x AS integer)"), {"x": 1})
        connection.execute(text("SELECT 1"))
        connection.commit()
    assert trips() == 3  # two statements and the commit

    with odd.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT 1"))
        with traced(connection) as trips:
            connection.execute(text("SELECT 1"))
    assert trips() == 1


@contextmanager
def traced(connection: Connection) -> Iterator[Callable[[], int]]:
    """How often we waited for the server in the block."""
    pgconn = connection.connection.driver_connection.pgconn  # type: ignore[union-attr]
    with tempfile.TemporaryFile("w+") as file:
        trips = 0
        pgconn.trace(file.fileno())
        yield lambda: trips
        pgconn.untrace()
        file.seek(0)
        senders = [line.split("\t")[1] for line in file if line.count("\t") >= 2]
        trips = [sender for sender, _ in groupby(senders)].count("B")


def test_what_the_server_said_before_it_ended_a_connection_is_the_error(servers: Servers) -> None:
    engine = connect(servers.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        connection.rollback()
        with psycopg.connect(servers.database_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text("SELECT 1"))
        assert sqlstate_of(caught.value) == "57P01"
        assert trouble_of(caught.value) is Trouble.AWAY
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != pid
    engine.dispose()


def test_a_value_that_cannot_be_sent_leaves_the_connection_as_it_is(odd: Engine) -> None:
    with odd.connect() as connection:
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT :x"), {"x": object()})
        connection.rollback()
        assert connection.scalar(text("SELECT 1")) == 1
        assert not connection.invalidated
