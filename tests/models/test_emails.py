"""The send log: an email is tried, held or sent; what is sent stays sent."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from events import uuid7
from models import emails
from models.emails import KEY_LASTS, EmailId
from runtime.assembly import Assembly

EMAIL = EmailId(UUID(int=1), "training_complete", "t-1")
BY, OTHER = UUID(int=2), UUID(int=3)


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


def tries(session: Session) -> int | None:
    """How many tries may have sent the email; None where none can."""
    row = session.execute(text("SELECT tried_at, tries FROM insights.emails")).one()
    assert (row.tried_at is None) == (row.tries == 0)
    return row.tries or None


def test_an_email_belongs_to_the_event_of_its_first_try(session: Session) -> None:
    first = emails.begin(session, EMAIL, BY)
    second = emails.begin(session, EMAIL, OTHER)

    assert (first.sent, first.held, first.by) == (False, False, BY)
    assert second == first
    assert emails.begin(session, EMAIL._replace(about="t-2"), OTHER).by == OTHER


def test_a_single_try_is_taken_back(session: Session) -> None:
    emails.forget_try(session, EMAIL, emails.begin(session, EMAIL, BY).tried_at)

    assert tries(session) is None
    assert emails.begin(session, EMAIL, OTHER).by == OTHER


def test_no_try_is_taken_back_once_another_has_begun(session: Session) -> None:
    first = emails.begin(session, EMAIL, BY)
    second = emails.begin(session, EMAIL, BY)

    emails.forget_try(session, EMAIL, first.tried_at)
    emails.forget_try(session, EMAIL, second.tried_at)

    assert tries(session) == 2


def test_a_repetition_of_taking_back_does_not_take_back_a_later_try(session: Session) -> None:
    first = emails.begin(session, EMAIL, BY)
    emails.forget_try(session, EMAIL, first.tried_at)
    emails.begin(session, EMAIL, BY)

    emails.forget_try(session, EMAIL, first.tried_at)

    assert tries(session) == 1


def test_a_try_of_a_release_that_does_not_count_is_not_taken_back(session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    session.execute(text("UPDATE insights.emails SET tries = 0"))

    emails.forget_try(session, EMAIL, emails.begin(session, EMAIL, BY).tried_at)

    assert tries(session) == 2


def test_what_is_sent_is_sent_for_ever(session: Session) -> None:
    tried_at = emails.begin(session, EMAIL, BY).tried_at
    assert not emails.is_sent(session, EMAIL)
    emails.record_sent(session, EMAIL)
    session.expire_all()
    assert emails.is_sent(session, EMAIL)

    emails.forget_try(session, EMAIL, tried_at)
    outlast_the_key(session)
    again = emails.begin(session, EMAIL, OTHER)

    assert (again.sent, again.held) == (True, False)


def test_a_try_of_unknown_outcome_is_held_once_its_key_is_forgotten(session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    outlast_the_key(session)

    assert emails.begin(session, EMAIL, BY).held

    (held,) = emails.held(session)
    assert (held.user_id, held.template, held.about, held.event_id) == (*EMAIL, BY)


@pytest.mark.parametrize("sent", [True, False])
def test_an_operator_ends_what_is_held(sent: bool, session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    outlast_the_key(session)
    emails.begin(session, EMAIL, BY)
    assert emails.resolve_held(session, sent=sent, event=uuid7()) == []

    assert emails.resolve_held(session, sent=sent, event=BY) == [BY]

    assert emails.held(session) == []
    again = emails.begin(session, EMAIL, BY)
    assert (again.sent, again.held) == (sent, False)
    if not sent:
        assert tries(session) == 1


def test_what_a_migration_held_is_not_sent_although_its_key_would_last(session: Session) -> None:
    emails.begin(session, EMAIL, BY)
    session.execute(text("UPDATE insights.emails SET held_at = now()"))

    assert emails.begin(session, EMAIL, BY).held
    assert emails.resolve_held(session, sent=False, event=None) == [BY]
    assert not emails.begin(session, EMAIL, BY).held
