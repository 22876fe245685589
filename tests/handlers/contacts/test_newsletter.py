"""Contacts of the newsletter, and what becomes of them when their address gets an account."""

from typing import Any

import pytest

from errors import ProviderRefused
from events import NewsletterSubscribed, UserSignedUp, UserUpdated, uuid7
from handlers.contacts.profile_sync import sync_contact
from handlers.outcomes import RetryLater
from tests.doubles import Doubles
from tests.factories import profile_changes, publish_now
from tests.handlers.steps import work_until_done
from tests.pipeline import Pipeline


def test_the_newsletter_needs_no_account(contact_pipeline: Pipeline, doubles: Doubles) -> None:
    event = NewsletterSubscribed(email="bea@example.com")
    publish_now(contact_pipeline.assembly, event)

    work_until_done(contact_pipeline)

    (contact,) = doubles.loops.audience.contacts
    assert contact.user_id is None
    assert contact.fields == {"newsletter": True, "subscribedAt": event.occurred_at.isoformat()}


def test_an_address_is_put_on_the_list_that_is_set_and_goes_over_with_it(
    contact_pipeline: Pipeline, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = contact_pipeline.assembly.services.loops
    monkeypatch.setattr(loops, "newsletter_list", "clnews")
    publish_now(contact_pipeline.assembly, NewsletterSubscribed(email="ada@example.com"))
    work_until_done(contact_pipeline)
    assert doubles.contact("ada@example.com").lists == {"clnews": True}
    assert doubles.contact("ada@example.com").fields["newsletter"] is True

    user = uuid7()
    publish_now(contact_pipeline.assembly, UserSignedUp(user_id=user, email="ada@example.com"))
    work_until_done(contact_pipeline)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.user_id, contact.lists) == (str(user), {"clnews": True})


def test_an_unsubscribed_address_is_never_subscribed_again(
    contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    gone = {"email": "ada@example.com", "subscribed": False}
    doubles.loops.audience.create(gone, doubles.loops.clock.now())
    publish_now(contact_pipeline.assembly, *profile_changes(uuid7()))
    publish_now(contact_pipeline.assembly, NewsletterSubscribed(email="ada@example.com"))

    work_until_done(contact_pipeline)

    assert all(
        not each.fields["subscribed"]
        for each in doubles.loops.audience.contacts
        if "subscribed" in each.fields
    )
    assert any("subscribed" in each.fields for each in doubles.loops.audience.contacts)


@pytest.mark.parametrize("subscribed", [True, False])
def test_an_address_known_from_the_newsletter_goes_over_to_the_account_that_takes_it(
    subscribed: bool, contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    publish_now(
        contact_pipeline.assembly, UserSignedUp(user_id=user, email="ada@example.com", name="Ada")
    )
    subscribed_event = NewsletterSubscribed(email="countess@example.com")
    publish_now(contact_pipeline.assembly, subscribed_event)
    work_until_done(contact_pipeline)
    if not subscribed:
        doubles.contact("countess@example.com").fields["subscribed"] = False

    publish_now(contact_pipeline.assembly, UserUpdated(user_id=user, email="countess@example.com"))
    work_until_done(contact_pipeline)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.user_id) == ("countess@example.com", str(user))
    assert contact.fields["newsletter"] is True
    assert contact.fields["subscribedAt"] == subscribed_event.occurred_at.isoformat()
    assert contact.fields.get("subscribed", True) is subscribed


def test_two_take_overs_of_an_address_at_once_lose_none_of_its_fields(
    contact_pipeline: Pipeline, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = uuid7()
    publish_now(
        contact_pipeline.assembly, UserSignedUp(user_id=user, email="ada@example.com", name="Ada")
    )
    publish_now(contact_pipeline.assembly, NewsletterSubscribed(email="countess@example.com"))
    work_until_done(contact_pipeline)
    doubles.contact("countess@example.com").fields["subscribed"] = False
    services, loops = contact_pipeline.assembly.services, contact_pipeline.assembly.services.loops
    assert loops is not None
    delete = loops.delete_contact
    copies = [UserUpdated(user_id=user, email="countess@example.com"), UserUpdated(user_id=user)]

    def let_another_come_first(**who: Any) -> None:
        monkeypatch.setattr(loops, "delete_contact", delete)
        with pytest.raises(RetryLater):
            sync_contact(copies[1], services, loops)
        delete(**who)

    monkeypatch.setattr(loops, "delete_contact", let_another_come_first)
    publish_now(contact_pipeline.assembly, copies[0])
    work_until_done(contact_pipeline)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.user_id, contact.fields["subscribed"]) == (str(user), False)


def test_a_refusal_that_is_no_conflict_takes_nothing_from_the_newsletter(
    contact_pipeline: Pipeline, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops, refused = contact_pipeline.assembly.services.loops, []
    assert loops is not None
    write = loops.write_contact

    def refuse_names(**fields: Any) -> None:
        if "firstName" in fields:
            refused.append(fields)
            raise ProviderRefused("The name is not taken.")
        write(**fields)

    publish_now(contact_pipeline.assembly, NewsletterSubscribed(email="ada@example.com"))
    work_until_done(contact_pipeline)
    monkeypatch.setattr(loops, "write_contact", refuse_names)
    publish_now(contact_pipeline.assembly, UserSignedUp(user_id=uuid7(), email="ada@example.com"))
    contact_pipeline.work()

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.fields["newsletter"]) == ("ada@example.com", True)
    assert len(refused) == 2
    assert [(row.attempts, row.died_at) for row in contact_pipeline.owed()] == [(1, None)]
