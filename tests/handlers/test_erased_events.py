"""Nothing more follows from an event that was erased."""

import pytest
from sqlalchemy import text

from events import Event, NewsletterSubscribed, UserDeleted, UserSignedUp, uuid7
from handlers.contacts.handler import keep_contacts
from handlers.emails.handler import send_awaited_email
from tests.doubles import Doubles
from tests.factories import publish_now, signed_up
from tests.handlers.steps import work_until_done
from tests.pipeline import Pipeline


@pytest.mark.parametrize("kind", [UserSignedUp, NewsletterSubscribed])
def test_a_dead_letter_of_an_erased_event_ends_without_an_effect_when_it_is_replayed(
    kind: type[Event], erasing: Pipeline, doubles: Doubles
) -> None:
    user_id = uuid7()
    erasing.follow(*erasing.handlers.values(), send_awaited_email, keep_contacts)
    given = {"user_id": user_id, "email": "ada@example.com"}
    event = kind(**(given if kind is UserSignedUp else {"email": "ada@example.com"}))
    publish_now(erasing.assembly, event, signed_up(user_id))
    with erasing.assembly.engine.begin() as connection:
        # What waits for `profiles` too: it cannot be dead and wait at once.
        connection.execute(
            text("""
                UPDATE insights.deliveries SET died_at = now(), waits_for = NULL
                WHERE handler IN (SELECT h.id FROM insights.handlers h
                                  WHERE h.name IN ('contacts', 'emails_awaited'))
            """)
        )
    publish_now(erasing.assembly, UserDeleted(user_id=user_id))
    for _ in range(3):
        erasing.work()
        erasing.pass_time()
    assert {row.died_at is None for row in erasing.owed()} == {False}
    requests = len(doubles.requests("loops"))

    with erasing.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET died_at = NULL"))
    work_until_done(erasing)

    assert doubles.loops.mails == []
    assert len(doubles.requests("loops")) == requests
    assert [contact.email for contact in doubles.loops.audience.contacts] == []
