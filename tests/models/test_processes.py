"""Signs of life of worker processes."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from models import processes
from runtime.assembly import Assembly

AGE = text("UPDATE insights.processes SET started_at = started_at - :by, seen_at = seen_at - :by")
ROWS = text("SELECT id, name, now() - started_at AS up, now() - seen_at AS silent"
            " FROM insights.processes ORDER BY name")  # fmt: skip
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def rows(connection: Connection) -> list[Any]:
    return list(connection.execute(ROWS))


def test_a_process_is_seen_from_its_first_sign_of_life_to_its_last(connection: Connection) -> None:
    process = uuid4()
    processes.beat(connection, process, "host:17")
    connection.execute(AGE, {"by": HOUR})

    processes.beat(connection, process, "host:17")

    (row,) = rows(connection)
    assert (row.id, row.name) == (process, "host:17")
    assert row.up > HOUR
    assert row.silent < MINUTE


def test_one_process_says_nothing_of_another(connection: Connection) -> None:
    silent, lively = uuid4(), uuid4()
    for process, name in ((silent, "a"), (lively, "b")):
        processes.beat(connection, process, name)
    connection.execute(AGE, {"by": HOUR})

    processes.beat(connection, lively, "b")

    assert [row.silent > HOUR for row in rows(connection)] == [True, False]


def test_a_process_that_ends_in_order_is_forgotten(connection: Connection) -> None:
    ended, other = uuid4(), uuid4()
    for process in (ended, other):
        processes.beat(connection, process, "host:17")

    processes.end(connection, ended)
    processes.end(connection, UUID(int=0))  # one that never gave a sign of life

    assert [row.id for row in rows(connection)] == [other]


def test_a_sign_of_life_does_not_wait_for_the_disk(assembly: Assembly) -> None:
    with assembly.engine.begin() as transaction:
        transaction.execute(text("SET LOCAL synchronous_commit = 'on'"))
        processes.beat(transaction, uuid4(), "host:17")

        assert transaction.scalar(text("SHOW synchronous_commit")) == "off"
