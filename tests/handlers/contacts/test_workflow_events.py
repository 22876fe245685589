"""Each event that starts or stops a workflow at Loops is sent once."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from errors import ProviderUncertain
from events import PlanChanged, UserDeleted, UserInactive, UserSignedUp, UserUpdated, uuid7
from handlers.contacts.handler import keep_contacts
from models.handlers.circuit_breaker import FAILURES_BEFORE_OPEN
from tests.doubles import Doubles
from tests.factories import dataset_uploaded, publish_now, training_completed
from tests.handlers.steps import work_until_done
from tests.pipeline import Pipeline


def test_a_milestone_is_sent_once(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(contact_pipeline.assembly, dataset_uploaded(user_id), dataset_uploaded(user_id))
    publish_now(
        contact_pipeline.assembly,
        training_completed(user_id, "t-1"),
        training_completed(user_id, "t-2"),
    )

    work_until_done(contact_pipeline)

    sent = sorted(event.name for event in doubles.loops.events)
    assert sent == ["dataset_uploaded", "training_completed"]
    assert doubles.loops.events[0].email == f"{user_id.hex}@example.com"


def test_a_milestone_whose_answer_was_lost_is_still_sent_once(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.set_fault("loops", "lose", times=1)
    publish_now(contact_pipeline.assembly, training_completed(user_id))

    work_until_done(contact_pipeline)

    assert [event.name for event in doubles.loops.events] == ["training_completed"]


def test_a_user_who_stays_away_is_sent(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(contact_pipeline.assembly, UserInactive(user_id=user_id, days=14))

    work_until_done(contact_pipeline)

    assert [event.name for event in doubles.loops.events] == ["user_inactive"]


def test_a_user_who_came_back_meanwhile_is_not_sent_as_inactive(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    with contact_pipeline.assembly.engine.begin() as connection:
        activity = "INSERT INTO insights.activity VALUES (:id, now() - interval '1 day')"
        connection.execute(text(activity), {"id": user_id})
    publish_now(contact_pipeline.assembly, UserInactive(user_id=user_id, days=14))

    work_until_done(contact_pipeline)

    assert doubles.loops.events == []


def test_a_workflow_event_that_may_have_been_sent_is_held_once_its_key_is_forgotten(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.set_fault("loops", "lose", times=1)
    publish_now(contact_pipeline.assembly, training_completed(user_id))
    contact_pipeline.work()
    doubles.advance_clock(hours=25)
    with contact_pipeline.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.emails SET tried_at = now() - interval '1 day'"))

    contact_pipeline.pass_time()
    contact_pipeline.work()

    (owed,) = contact_pipeline.owed()
    assert owed.died_at is not None
    assert "insights emails settle" in owed.last_error
    assert [event.name for event in doubles.loops.events] == ["training_completed"]


def test_while_a_workflow_event_is_held_later_events_do_not_become_dead_letters(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    doubles.set_fault("loops", "lose", times=1)
    publish_now(contact_pipeline.assembly, training_completed(user_id, "t-1"))
    contact_pipeline.work()
    with contact_pipeline.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.emails SET tried_at = now() - interval '1 day'"))
    contact_pipeline.pass_time()
    contact_pipeline.work()
    publish_now(contact_pipeline.assembly, training_completed(user_id, "t-2"))

    contact_pipeline.work()

    assert [row.died_at is None for row in contact_pipeline.owed()] == [False]


def test_a_workflow_event_refused_while_addresses_are_in_conflict_is_sent_later(
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
    publish_now(contact_pipeline.assembly, training_completed(first))
    contact_pipeline.work()
    assert all(row.died_at is None for row in contact_pipeline.owed())

    publish_now(contact_pipeline.assembly, UserDeleted(user_id=second))
    work_until_done(contact_pipeline)

    assert [event.name for event in doubles.loops.events] == ["training_completed"]


def test_a_user_deleted_during_a_send_has_no_contact_even_after_a_crash(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = contact_pipeline.assembly.services.loops
    assert loops is not None
    send, delete = loops.send_event, loops.delete_contact

    def delete_user_meanwhile(*given: Any, **more: Any) -> None:
        publish_now(contact_pipeline.assembly, UserDeleted(user_id=user_id))
        with contact_pipeline.assembly.engine.begin() as connection:
            note = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
            connection.execute(text(note), {"id": user_id})
        send(*given, **more)
        monkeypatch.setattr(loops, "send_event", send)

    def crash(**_who: Any) -> None:
        monkeypatch.setattr(loops, "delete_contact", delete)
        raise ProviderUncertain("It is as good as a crash.")

    monkeypatch.setattr(loops, "send_event", delete_user_meanwhile)
    monkeypatch.setattr(loops, "delete_contact", crash)
    publish_now(contact_pipeline.assembly, dataset_uploaded(user_id))
    work_until_done(contact_pipeline)

    assert doubles.loops.audience.contacts == []
    assert len(doubles.loops.events) == 1


def test_a_user_deleted_during_the_send_of_a_milestone_has_no_contact(
    contact_pipeline: Pipeline, doubles: Doubles, user_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops = contact_pipeline.assembly.services.loops
    assert loops is not None
    send = loops.send_event

    def delete_user_meanwhile(*given: Any, **more: Any) -> None:
        with contact_pipeline.assembly.engine.begin() as connection:
            note = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
            connection.execute(text(note), {"id": user_id})
        send(*given, **more)

    monkeypatch.setattr(loops, "send_event", delete_user_meanwhile)
    publish_now(contact_pipeline.assembly, dataset_uploaded(user_id))

    work_until_done(contact_pipeline)

    assert doubles.loops.audience.contacts == []


def test_milestones_that_were_sent_before_say_nothing_of_a_provider_that_is_down(
    pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    """They are done without a request, between others that the outage holds up."""
    pipeline = pipeline_with_doubles
    pipeline.follow(keep_contacts)
    publish_now(pipeline.assembly, dataset_uploaded(user_id))
    pipeline.work()
    doubles.set_fault("loops", "status", status=503)
    calls = len(doubles.requests("loops"))

    for _ in range(6):
        publish_now(
            pipeline.assembly, dataset_uploaded(user_id), PlanChanged(user_id=user_id, plan="pro")
        )
        pipeline.pass_time()
        pipeline.work()

    assert len(doubles.requests("loops")) - calls <= FAILURES_BEFORE_OPEN
