"""Which errors of the database another try may meet no more, and which are raised at once."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import transactions
from models.transactions import in_transaction
from runtime.assembly import Assembly

OWE = text("INSERT INTO insights.deliveries (handler, event_id) VALUES (1, gen_random_uuid())")
OWED = text("SELECT count(*) FROM insights.deliveries")


class RecordingTime:
    def __init__(self) -> None:
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> RecordingTime:
    """Nothing waits between tries; how long it would is recorded."""
    time = RecordingTime()
    monkeypatch.setattr(transactions, "time", time)
    return time


def raise_in_database(session: Session, sqlstate: str) -> None:
    session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}'; END $$"))


def owed(assembly: Assembly) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(OWED) or 0)


@pytest.mark.parametrize(
    "sqlstate",
    ["40001", "40P01", "55P03", "53300", "57P01", "57P03", "08006"],
    ids=[
        "serialization failure", "deadlock", "lock time-out", "too many connections",
        "shutting down", "starting", "connection failure",
    ],
)  # fmt: skip
def test_what_another_try_may_not_meet_is_tried_again_as_a_whole(
    sqlstate: str, assembly: Assembly, time: RecordingTime
) -> None:
    tries = []

    def work(session: Session) -> str:
        tries.append(session)
        session.execute(OWE)
        if len(tries) == 1:
            raise_in_database(session, sqlstate)
        return "done"

    assert in_transaction(assembly.sessions, work) == "done"

    assert len(tries) == 2
    assert len(time.pauses) == 1
    assert owed(assembly) == 1


@pytest.mark.parametrize(
    "sqlstate", ["23505", "22P02", "42P01", "57014"],
    ids=["unique violation", "invalid text", "no such table", "statement time-out"],
)  # fmt: skip
def test_what_goes_wrong_in_every_try_is_raised_at_once(
    sqlstate: str, assembly: Assembly, time: RecordingTime
) -> None:
    def work(session: Session) -> None:
        session.execute(OWE)
        raise_in_database(session, sqlstate)

    with pytest.raises(DBAPIError) as caught:
        in_transaction(assembly.sessions, work)

    assert getattr(caught.value.orig, "sqlstate", None) == sqlstate
    assert time.pauses == []
    assert owed(assembly) == 0


@pytest.mark.parametrize("sqlstate", ["40P01", "57P01"], ids=["deadlock", "shutting down"])
def test_the_last_error_is_raised_when_all_tries_are_used_up(
    sqlstate: str, assembly: Assembly, time: RecordingTime
) -> None:
    tries = []

    def work(session: Session) -> None:
        tries.append(session)
        raise_in_database(session, sqlstate)

    with pytest.raises(DBAPIError):
        in_transaction(assembly.sessions, work)

    assert len(tries) == len(time.pauses) + 1 > 2
    assert time.pauses == sorted(time.pauses)


def test_an_error_of_the_work_itself_is_raised_at_once(
    assembly: Assembly, time: RecordingTime
) -> None:
    def work(session: Session) -> None:
        session.execute(OWE)
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        in_transaction(assembly.sessions, work)

    assert (time.pauses, owed(assembly)) == ([], 0)
