"""Contacts at Loops end as the profiles are, in whatever order events come."""

import itertools
from uuid import UUID

import pytest
from sqlalchemy import text

from events import PlanChanged, UserDeleted, UserSignedUp, UserUpdated, uuid7
from tests.doubles import Doubles
from tests.factories import dataset_uploaded, profile_changes, publish_now
from tests.handlers.steps import work_until_done
from tests.pipeline import Pipeline


def test_a_sign_up_makes_a_contact_that_starts_onboarding(
    contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    event = UserSignedUp(user_id=user, email="ada@example.com", name="Ada Lovelace")
    publish_now(contact_pipeline.assembly, event)

    work_until_done(contact_pipeline)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.user_id) == ("ada@example.com", str(user))
    assert contact.fields == {
        "firstName": "Ada",
        "signupDate": event.occurred_at.isoformat(),
        "plan": "free",
    }


def test_a_plan_that_changed_reaches_the_contact(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    with contact_pipeline.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE public.profiles SET plan = 'pro'"))
    publish_now(contact_pipeline.assembly, PlanChanged(user_id=user_id, plan="pro"))

    work_until_done(contact_pipeline)

    assert doubles.loops.audience.contacts[0].fields["plan"] == "pro"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_whatever_order_events_come_the_contact_ends_the_same(
    order: tuple[int, ...], contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    events = profile_changes(uuid7())
    for index in order:
        publish_now(contact_pipeline.assembly, events[index])
        contact_pipeline.work()
        contact_pipeline.pass_time()
    work_until_done(contact_pipeline)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.fields["firstName"]) == ("countess@example.com", "Augusta")


def test_a_contact_is_written_only_once_the_profile_has_the_change(
    contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    publish_now(contact_pipeline.assembly, *profile_changes(user)[:1])
    work_until_done(contact_pipeline)
    publish_now(contact_pipeline.assembly, UserUpdated(user_id=user, name="Augusta"))

    assert contact_pipeline.rung() == ["profiles"]
    contact_pipeline.answer("contacts")
    assert doubles.loops.audience.contacts[0].fields["firstName"] == "Ada"
    contact_pipeline.answer("profiles")
    assert contact_pipeline.rung() == ["contacts"]
    work_until_done(contact_pipeline)

    assert doubles.loops.audience.contacts[0].fields["firstName"] == "Augusta"


def test_a_deleted_user_has_no_contact_and_late_events_bring_none_back(
    contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    user = uuid7()
    publish_now(contact_pipeline.assembly, *profile_changes(user))
    work_until_done(contact_pipeline)
    publish_now(contact_pipeline.assembly, UserDeleted(user_id=user))
    work_until_done(contact_pipeline)

    publish_now(
        contact_pipeline.assembly, UserUpdated(user_id=user, name="Ghost"), dataset_uploaded(user)
    )
    work_until_done(contact_pipeline)

    assert doubles.loops.audience.contacts == []
    assert doubles.loops.events == []


def test_an_address_of_another_user_is_waited_for(
    contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    first, second = uuid7(), uuid7()
    publish_now(
        contact_pipeline.assembly, UserSignedUp(user_id=first, email="a@example.com", name="A")
    )
    publish_now(
        contact_pipeline.assembly, UserSignedUp(user_id=second, email="b@example.com", name="B")
    )
    work_until_done(contact_pipeline)

    publish_now(contact_pipeline.assembly, UserUpdated(user_id=first, email="b@example.com"))
    for _ in range(2):
        contact_pipeline.pass_time()
        contact_pipeline.work()
    assert len(doubles.loops.audience.contacts) == 2
    publish_now(contact_pipeline.assembly, UserDeleted(user_id=second))
    work_until_done(contact_pipeline)

    (contact,) = doubles.loops.audience.contacts
    assert (contact.email, contact.user_id) == ("b@example.com", str(first))


def test_the_profile_of_an_unknown_user_is_waited_for(
    contact_pipeline: Pipeline, doubles: Doubles
) -> None:
    publish_now(contact_pipeline.assembly, PlanChanged(user_id=uuid7(), plan="pro"))

    contact_pipeline.work()

    (owed,) = contact_pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)
    assert "No profile has the id" in owed.last_error
