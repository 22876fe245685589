"""The send log: an email is first, tried, held or sent, and what is sent stays sent."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from events import uuid7
from models import emails
from models.emails import KEY_LASTS, EmailId, SendState
from runtime.assembly import Assembly

EMAIL = EmailId(UUID(int=1), "training_complete", "t-1")
BY, OTHER = UUID(int=2), UUID(int=3)
FIRST = SendState(sent=False, held=False, first=True, by=BY)
TRIED = FIRST._replace(first=False)
HELD = TRIED._replace(held=True)
SENT = TRIED._replace(sent=True)


@pytest.fixture
def session(assembly: Assembly) -> Iterator[Session]:
    """Each statement commits at once, so that each has a time of its own."""
    autocommit = assembly.engine.execution_options(isolation_level="AUTOCOMMIT")
    with Session(autocommit) as session:
        yield session


def outlast_the_key(session: Session) -> None:
    """Move time until Loops has forgotten the idempotency key."""
    query = text("UPDATE insights.emails SET tried_at = tried_at - :key - interval '1 minute'")
    session.execute(query, {"key": KEY_LASTS})


def test_the_first_try_is_first_and_belongs_to_its_event(session: Session) -> None:
    assert emails.begin(session, EMAIL, BY) == FIRST
    assert emails.begin(session, EMAIL, OTHER) == TRIED
    assert emails.begin(session, EMAIL._replace(about="t-2"), OTHER).first


def test_a_try_that_sent_nothing_for_certain_may_be_another_events_first(session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    emails.forget_try(session, EMAIL)

    assert emails.begin(session, EMAIL, OTHER) == FIRST._replace(by=OTHER)


def test_what_is_sent_is_sent_for_ever(session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    assert not emails.is_sent(session, EMAIL)
    emails.record_sent(session, EMAIL)
    session.expire_all()
    assert emails.is_sent(session, EMAIL)

    emails.forget_try(session, EMAIL)
    outlast_the_key(session)

    assert emails.begin(session, EMAIL, OTHER) == SENT


def test_a_try_of_unknown_outcome_is_held_once_its_key_is_forgotten(session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    outlast_the_key(session)

    assert emails.begin(session, EMAIL, BY) == HELD

    (held,) = emails.held(session)
    assert (held.user_id, held.template, held.about, held.event_id) == (*EMAIL, BY)


@pytest.mark.parametrize(("sent", "then"), [(True, SENT), (False, FIRST)])
def test_an_operator_ends_what_is_held(sent: bool, then: SendState, session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    outlast_the_key(session)
    emails.begin(session, EMAIL, BY)
    assert emails.resolve_held(session, sent=sent, event=uuid7()) == []

    assert emails.resolve_held(session, sent=sent, event=BY) == [BY]

    assert emails.held(session) == []
    assert emails.begin(session, EMAIL, BY) == then
