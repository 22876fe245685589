"""Publishing from Python: in the caller's transaction, once per id, with a ring after it."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from events import UserLoggedIn, carry_trace, publish, ring_after_commit, uuid7
from events.errors import TooFarAhead, Unstorable
from models.connections import session_factory
from runtime.assembly import Assembly
from tests.factories import prediction_made, predictions_made, publish_now
from tests.pipeline import Pipeline

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_doorbell_rings_after_a_commit_that_published_and_only_then(
    assembly: Assembly,
) -> None:
    rings: list[str] = []
    sessions = session_factory(assembly.engine)
    ring_after_commit(sessions, lambda: rings.append("ring"))
    with sessions() as session:
        publish(session, *predictions_made())
        session.rollback()
        session.execute(text("SELECT 1"))
        session.commit()
        assert rings == []
        publish(session, *predictions_made())
        assert rings == []
        session.commit()
    assert rings == ["ring"]


@pytest.fixture
def rings() -> list[str]:
    return []


@pytest.fixture
def ringing(assembly: Assembly, rings: list[str]) -> "sessionmaker[Session]":
    """Sessions that note down their rings."""
    sessions = session_factory(assembly.engine)
    ring_after_commit(sessions, lambda: rings.append("ring"))
    return sessions


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_is_published_in_savepoints_rings_once_after_the_outer_commit(
    ringing: "sessionmaker[Session]", rings: list[str], depth: int
) -> None:
    with ringing() as session:
        with ExitStack() as savepoints:
            for _ in range(depth):
                savepoints.enter_context(session.begin_nested())
                publish(session, *predictions_made())
        assert rings == []
        session.commit()
        assert rings == ["ring"]
        session.commit()
    assert rings == ["ring"]


def test_an_outer_commit_with_a_savepoint_still_open_rings(
    ringing: "sessionmaker[Session]", rings: list[str]
) -> None:
    with ringing() as session:
        session.begin_nested()
        session.begin_nested()
        publish(session, *predictions_made())
        session.commit()
    assert rings == ["ring"]


@pytest.mark.parametrize("rolled_back", ["inner", "outer"])
def test_what_a_savepoint_rolled_back_rings_for_nothing(
    ringing: "sessionmaker[Session]", rings: list[str], rolled_back: str
) -> None:
    with ringing() as session:
        outer = session.begin_nested()
        inner = session.begin_nested()
        publish(session, *predictions_made())
        if rolled_back == "inner":
            inner.rollback()
            outer.commit()
        else:
            inner.commit()
            outer.rollback()
        session.commit()
    assert rings == []


def test_what_was_published_around_a_savepoint_rings_although_that_is_rolled_back(
    ringing: "sessionmaker[Session]", rings: list[str]
) -> None:
    with ringing() as session:
        publish(session, *predictions_made())
        with suppress(ZeroDivisionError), session.begin_nested():
            publish(session, *predictions_made())
            raise ZeroDivisionError
        with suppress(ZeroDivisionError), session.begin_nested():
            raise ZeroDivisionError
        session.commit()
    assert rings == ["ring"]


@pytest.mark.parametrize("end", [Session.rollback, Session.close])
def test_a_session_that_goes_on_after_its_transaction_was_given_up_rings_for_nothing(
    ringing: "sessionmaker[Session]", rings: list[str], end: Callable[[Session], None]
) -> None:
    with ringing() as session:
        with session.begin_nested():
            publish(session, *predictions_made())
        end(session)
        session.execute(text("SELECT 1"))
        session.commit()
    assert rings == []


def test_a_rolled_back_publish_leaves_nothing(assembly: Assembly, pipeline: Pipeline) -> None:
    with assembly.sessions() as session:
        publish(session, *predictions_made(3))
        assert session.scalar(text("SELECT count(*) FROM insights.deliveries"))
        session.rollback()

    assert pipeline.owed() == []


def test_publish_returns_the_ids_that_were_new(assembly: Assembly) -> None:
    first, second = predictions_made(2)

    assert publish_now(assembly, first) == {first.id}
    new: set[UUID] = publish_now(assembly, first, second)
    assert new == {second.id}
    assert publish_now(assembly) == set()


def test_an_event_without_a_trace_joins_that_of_its_publisher(assembly: Assembly) -> None:
    other = TRACE.replace("0af7", "1bf8")
    joining, own = UserLoggedIn(user_id=uuid7()), UserLoggedIn(user_id=uuid7(), traceparent=other)
    sessions = session_factory(assembly.engine)
    carry_trace(sessions, lambda: TRACE)

    with sessions.begin() as session:
        publish(session, joining, own)

    with assembly.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, traceparent FROM insights.events"))
        assert {row.id: row.traceparent for row in rows} == {joining.id: TRACE, own.id: other}


@pytest.mark.parametrize("text", ["a\0b", "half a pair \ud800"])
def test_text_that_cannot_be_stored_is_refused_with_a_sentence(
    assembly: Assembly, text: str
) -> None:
    event = UserLoggedIn.model_construct(id=uuid7(), user_id=uuid7(), method=text)

    with pytest.raises(Unstorable, match=r"user\.logged_in"):
        publish_now(assembly, event)


def test_any_other_text_comes_back_as_it_was(assembly: Assembly) -> None:
    method = 'quotes " and \\ and \\u0041, \\u0000, {braces}, NULL, 漢字, 🎉, \n'
    event = UserLoggedIn(user_id=uuid7(), method=method)

    publish_now(assembly, event)

    with assembly.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT data ->> 'method' FROM insights.events")
        assert stored.scalar() == method


@pytest.mark.parametrize("ahead", [timedelta(hours=25), timedelta(days=400), None])
def test_an_event_of_the_day_after_tomorrow_is_refused_and_nothing_is_published(
    assembly: Assembly, pipeline: Pipeline, ahead: timedelta | None
) -> None:
    at = datetime.now(UTC) + ahead if ahead else datetime.max.replace(tzinfo=UTC)
    wrong = prediction_made(uuid7(), at=at)
    later = prediction_made(uuid7(), at=datetime.now(UTC) + timedelta(hours=23))

    with assembly.sessions.begin() as session:
        with pytest.raises(
            TooFarAhead, match=r"prediction\.made: occurred_at lies more than a day"
        ):
            publish(session, *predictions_made(2), wrong, later)
        assert session.scalar(text("SELECT count(*) FROM insights.events")) == 0
        # The caller's transaction goes on.
        assert publish(session, later) == {later.id}

    assert {row.event_id for row in pipeline.owed()} == {later.id}


@pytest.mark.parametrize("endless", ["infinity", "-infinity", float("inf"), float("-inf")])
def test_infinity_is_no_time_of_an_event(endless: object) -> None:
    with pytest.raises(ValidationError, match="occurred_at"):
        UserLoggedIn.model_validate({"user_id": uuid7(), "occurred_at": endless})
