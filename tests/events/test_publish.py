"""Publishing from Python: in the caller's transaction, once per id, with a ring after it."""

from uuid import UUID

import pytest
from sqlalchemy import text

from events import UserLoggedIn, carry_trace, publish, ring_after_commit, uuid7
from events.errors import Unstorable
from models.connections import session_factory
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
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
