"""Loops's contacts follow the users; what starts and stops a workflow reaches it once."""

import itertools
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from errors import ProviderRefused, ProviderUncertain
from events import (
    DatasetUploaded,
    Event,
    NewsletterSubscribed,
    PlanChanged,
    UserDeleted,
    UserInactive,
    UserSignedUp,
    UserUpdated,
    uuid7,
)
from handlers.contacts.handler import keep_contacts
from handlers.contacts.profile_sync import follow_profile
from handlers.outcomes import RetryLater
from handlers.profiles import keep_profiles
from tests.doubles import Doubles
from tests.factories import publish_now
from tests.handlers.emails.test_emails import completed
from tests.pipeline import Pipeline


@pytest.fixture
def keeping(pipeline_with_doubles: Pipeline) -> Pipeline:
    pipeline_with_doubles.follow(keep_contacts, keep_profiles)
    return pipeline_with_doubles


def settle(keeping: Pipeline) -> None:
    for _ in range(4):
        keeping.work()
        keeping.pass_time()
    assert keeping.owed() == []


def uploaded(user: UUID) -> DatasetUploaded:
    size: dict[str, Any] = {"filename": "a.csv", "size_mb": 1, "row_count": 9, "column_count": 3}
    return DatasetUploaded(user_id=user, dataset_id="d-1", **size)


def test_a_sign_up_makes_a_contact_that_starts_onboarding(
    keeping: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    event = UserSignedUp(user_id=user, email="ada@example.com", name="Ada Lovelace")
    publish_now(keeping.assembly, event)

    settle(keeping)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.user_id) == ("ada@example.com", str(user))
    assert contact.fields == {
        "firstName": "Ada",
        "signupDate": event.occurred_at.isoformat(),
        "plan": "free",
    }


def test_a_plan_that_changed_reaches_the_contact(
    keeping: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    with keeping.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE public.profiles SET plan = 'pro'"))
    publish_now(keeping.assembly, PlanChanged(user_id=user_id, plan="pro"))

    settle(keeping)

    assert doubles.loops.audience.contacts[0].fields["plan"] == "pro"


def story(user: UUID) -> list[Event]:
    return [
        UserSignedUp(user_id=user, email="ada@example.com", name="Ada"),
        UserUpdated(user_id=user, email="countess@example.com"),
        UserUpdated(user_id=user, name="Augusta"),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_news_comes_the_contact_ends_the_same(
    order: tuple[int, ...], keeping: Pipeline, doubles: Doubles
) -> None:
    events = story(uuid7())
    for index in order:
        publish_now(keeping.assembly, events[index])
        keeping.work()
        keeping.pass_time()
    settle(keeping)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.fields["firstName"]) == ("countess@example.com", "Augusta")


def test_news_is_told_only_once_the_profile_has_it(keeping: Pipeline, doubles: Doubles) -> None:
    user = uuid7()
    publish_now(keeping.assembly, *story(user)[:1])
    settle(keeping)
    publish_now(keeping.assembly, UserUpdated(user_id=user, name="Augusta"))
    messages = {message.queue_name: message for message in keeping.lease()}

    keeping.deliver(messages["contacts"])
    assert doubles.loops.audience.contacts[0].fields["firstName"] == "Ada"
    keeping.deliver(messages["profiles"])
    settle(keeping)

    assert doubles.loops.audience.contacts[0].fields["firstName"] == "Augusta"


def test_who_leaves_is_deleted_and_does_not_come_back(keeping: Pipeline, doubles: Doubles) -> None:
    user = uuid7()
    publish_now(keeping.assembly, *story(user))
    settle(keeping)
    publish_now(keeping.assembly, UserDeleted(user_id=user))
    settle(keeping)

    publish_now(keeping.assembly, UserUpdated(user_id=user, name="Ghost"), uploaded(user))
    settle(keeping)

    assert doubles.loops.audience.contacts == []
    assert doubles.loops.events == []


def test_a_first_deed_is_told_once(keeping: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    publish_now(keeping.assembly, uploaded(user_id), uploaded(user_id))
    publish_now(keeping.assembly, completed(user_id, "t-1"), completed(user_id, "t-2"))

    settle(keeping)

    told = sorted(event.name for event in doubles.loops.events)
    assert told == ["dataset_uploaded", "training_completed"]
    assert doubles.loops.events[0].email == f"{user_id.hex}@example.com"


def test_a_first_deed_whose_answer_got_lost_is_still_told_once(
    keeping: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.break_down("loops", "lose", times=1)
    publish_now(keeping.assembly, completed(user_id))

    settle(keeping)

    assert [event.name for event in doubles.loops.events] == ["training_completed"]


def test_who_stays_away_is_told(keeping: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    publish_now(keeping.assembly, UserInactive(user_id=user_id, days=14))

    settle(keeping)

    assert [event.name for event in doubles.loops.events] == ["user_inactive"]


def test_who_came_back_meanwhile_is_not_told_to_stay_away(
    keeping: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    with keeping.assembly.engine.begin() as connection:
        seen = "INSERT INTO insights.activity VALUES (:id, now() - interval '1 day')"
        connection.execute(text(seen), {"id": user_id})
    publish_now(keeping.assembly, UserInactive(user_id=user_id, days=14))

    settle(keeping)

    assert doubles.loops.events == []


def test_news_that_may_have_been_told_is_held_once_its_key_is_forgotten(
    keeping: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.break_down("loops", "lose", times=1)
    publish_now(keeping.assembly, completed(user_id))
    keeping.work()
    doubles.pass_time(hours=25)
    with keeping.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.emails SET tried_at = now() - interval '1 day'"))

    keeping.pass_time()
    keeping.work()

    (owed,) = keeping.owed()
    assert owed.died_at is not None
    assert "insights emails settle" in owed.last_error
    assert [event.name for event in doubles.loops.events] == ["training_completed"]


def test_nobody_is_subscribed_again_by_accident(keeping: Pipeline, doubles: Doubles) -> None:
    gone = {"email": "ada@example.com", "subscribed": False}
    doubles.loops.audience.create(gone, doubles.loops.clock.now())
    publish_now(keeping.assembly, *story(uuid7()))
    publish_now(keeping.assembly, NewsletterSubscribed(email="ada@example.com"))

    settle(keeping)

    assert all(
        not each.fields["subscribed"]
        for each in doubles.loops.audience.contacts
        if "subscribed" in each.fields
    )
    assert any("subscribed" in each.fields for each in doubles.loops.audience.contacts)


@pytest.mark.parametrize("subscribed", [True, False])
def test_an_address_known_from_the_newsletter_goes_over_to_the_account_that_takes_it(
    subscribed: bool, keeping: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    publish_now(keeping.assembly, UserSignedUp(user_id=user, email="ada@example.com", name="Ada"))
    news = NewsletterSubscribed(email="countess@example.com")
    publish_now(keeping.assembly, news)
    settle(keeping)
    if not subscribed:
        doubles.loops.audience.find("countess@example.com").fields["subscribed"] = False

    publish_now(keeping.assembly, UserUpdated(user_id=user, email="countess@example.com"))
    settle(keeping)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.user_id) == ("countess@example.com", str(user))
    assert contact.fields["newsletter"] is True
    assert contact.fields["subscribedAt"] == news.occurred_at.isoformat()
    assert contact.fields.get("subscribed", True) is subscribed


def test_two_who_take_over_an_address_at_once_do_not_lose_what_it_said(
    keeping: Pipeline, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = uuid7()
    publish_now(keeping.assembly, UserSignedUp(user_id=user, email="ada@example.com", name="Ada"))
    publish_now(keeping.assembly, NewsletterSubscribed(email="countess@example.com"))
    settle(keeping)
    doubles.loops.audience.find("countess@example.com").fields["subscribed"] = False
    services, loops = keeping.assembly.services, keeping.assembly.services.loops
    assert loops is not None
    delete = loops.delete_contact
    copies = [UserUpdated(user_id=user, email="countess@example.com"), UserUpdated(user_id=user)]

    def let_another_come_first(**who: Any) -> None:
        monkeypatch.setattr(loops, "delete_contact", delete)
        with pytest.raises(RetryLater):
            follow_profile(copies[1], services, loops)
        delete(**who)

    monkeypatch.setattr(loops, "delete_contact", let_another_come_first)
    publish_now(keeping.assembly, copies[0])
    settle(keeping)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.user_id, contact.fields["subscribed"]) == (str(user), False)


def test_a_refusal_that_is_no_conflict_takes_nothing_from_the_newsletter(
    keeping: Pipeline, doubles: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops, refused = keeping.assembly.services.loops, []
    assert loops is not None
    write = loops.write_contact

    def refuse_names(**fields: Any) -> None:
        if "firstName" in fields:
            refused.append(fields)
            raise ProviderRefused("The name is not taken.")
        write(**fields)

    publish_now(keeping.assembly, NewsletterSubscribed(email="ada@example.com"))
    settle(keeping)
    monkeypatch.setattr(loops, "write_contact", refuse_names)
    publish_now(keeping.assembly, UserSignedUp(user_id=uuid7(), email="ada@example.com"))
    for _ in range(2):
        keeping.work()
        keeping.pass_time()

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.fields["newsletter"]) == ("ada@example.com", True)
    assert len(refused) == 2
    assert [(row.attempts, row.died_at) for row in keeping.owed()] == [(1, None)]


def test_news_that_is_refused_while_addresses_are_in_conflict_is_told_later(
    keeping: Pipeline, doubles: Doubles
) -> None:
    first, second = uuid7(), uuid7()
    publish_now(keeping.assembly, UserSignedUp(user_id=first, email="a@example.com", name="A"))
    publish_now(keeping.assembly, UserSignedUp(user_id=second, email="b@example.com", name="B"))
    settle(keeping)
    publish_now(keeping.assembly, UserUpdated(user_id=first, email="b@example.com"))
    publish_now(keeping.assembly, completed(first))
    keeping.work()
    assert all(row.died_at is None for row in keeping.owed())

    publish_now(keeping.assembly, UserDeleted(user_id=second))
    settle(keeping)

    assert [event.name for event in doubles.loops.events] == ["training_completed"]


def test_who_leaves_while_news_is_told_does_not_come_back_by_a_crash(
    keeping: Pipeline, doubles: Doubles, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = keeping.assembly.services.loops
    assert loops is not None
    tell, delete = loops.tell, loops.delete_contact

    def leave_meanwhile(*given: Any, **more: Any) -> None:
        publish_now(keeping.assembly, UserDeleted(user_id=user_id))
        with keeping.assembly.engine.begin() as connection:
            left = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
            connection.execute(text(left), {"id": user_id})
        tell(*given, **more)
        monkeypatch.setattr(loops, "tell", tell)

    def crash(**_who: Any) -> None:
        monkeypatch.setattr(loops, "delete_contact", delete)
        raise ProviderUncertain("It is as good as a crash.")

    monkeypatch.setattr(loops, "tell", leave_meanwhile)
    monkeypatch.setattr(loops, "delete_contact", crash)
    publish_now(keeping.assembly, uploaded(user_id))
    settle(keeping)

    assert doubles.loops.audience.contacts == []
    assert len(doubles.loops.events) == 1


def test_while_news_is_held_later_events_do_not_die_of_it(
    keeping: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.break_down("loops", "lose", times=1)
    publish_now(keeping.assembly, completed(user_id, "t-1"))
    keeping.work()
    with keeping.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.emails SET tried_at = now() - interval '1 day'"))
    keeping.pass_time()
    keeping.work()
    publish_now(keeping.assembly, completed(user_id, "t-2"))

    keeping.work()

    assert [row.died_at is None for row in keeping.owed()] == [False]


def test_an_address_of_another_user_is_waited_for(keeping: Pipeline, doubles: Doubles) -> None:
    first, second = uuid7(), uuid7()
    publish_now(keeping.assembly, UserSignedUp(user_id=first, email="a@example.com", name="A"))
    publish_now(keeping.assembly, UserSignedUp(user_id=second, email="b@example.com", name="B"))
    settle(keeping)

    publish_now(keeping.assembly, UserUpdated(user_id=first, email="b@example.com"))
    for _ in range(2):
        keeping.pass_time()
        keeping.work()
    assert len(doubles.loops.audience.contacts) == 2
    publish_now(keeping.assembly, UserDeleted(user_id=second))
    settle(keeping)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.user_id) == ("b@example.com", str(first))


def test_the_newsletter_needs_no_account(keeping: Pipeline, doubles: Doubles) -> None:
    event = NewsletterSubscribed(email="bea@example.com")
    publish_now(keeping.assembly, event)

    settle(keeping)

    (contact,) = doubles.loops.audience.contacts
    assert contact.user_id is None
    assert contact.fields == {"newsletter": True, "subscribedAt": event.occurred_at.isoformat()}


def test_a_user_that_nobody_knows_is_waited_for_then_given_up(
    keeping: Pipeline, doubles: Doubles
) -> None:
    publish_now(keeping.assembly, PlanChanged(user_id=uuid7(), plan="pro"))

    keeping.work()

    (owed,) = keeping.owed()
    assert (owed.attempts, owed.died_at) == (0, None)
    assert "No profile has the id" in owed.last_error


def test_a_deed_that_is_told_while_somebody_leaves_brings_nobody_back(
    keeping: Pipeline, doubles: Doubles, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = keeping.assembly.services.loops
    assert loops is not None
    tell = loops.tell

    def leave_meanwhile(*given: Any, **more: Any) -> None:
        with keeping.assembly.engine.begin() as connection:
            left = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
            connection.execute(text(left), {"id": user_id})
        tell(*given, **more)

    monkeypatch.setattr(loops, "tell", leave_meanwhile)
    publish_now(keeping.assembly, uploaded(user_id))

    settle(keeping)

    assert doubles.loops.audience.contacts == []
