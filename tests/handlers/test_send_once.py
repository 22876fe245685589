"""Each send once, ever, whatever Loops does meanwhile; in doubt it waits for an operator."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import TrainingFailed, UserInactive
from handlers.contacts.handler import keep_contacts
from handlers.emails.handler import send_awaited_email, send_email
from handlers.send_once import EmailTemplate, WorkflowEvent
from tests.doubles import Doubles
from tests.factories import dataset_uploaded, publish_now, training_completed
from tests.handlers.emails.expected import EXPECTED
from tests.handlers.steps import send_log_row, try_once, wait_a_day
from tests.pipeline import Pipeline


@pytest.fixture
def email_pipeline(pipeline_with_doubles: Pipeline) -> Pipeline:
    pipeline_with_doubles.follow(send_email)
    return pipeline_with_doubles


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "times": 2},
        {"kind": "status", "status": 429, "times": 2},
        {"kind": "status", "status": 401, "times": 2},
        {"kind": "drop", "times": 2},
        {"kind": "lose", "times": 2},
    ],
    ids=["500", "429", "401", "drop", "lost answer"],
)
def test_an_outage_spends_no_attempt_and_sends_nothing_twice(
    fault: dict[str, Any], email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(email_pipeline.assembly, training_completed(user_id))
    doubles.set_fault("loops", **fault)

    for _ in range(3):
        email_pipeline.work()
        assert all(row.attempts == 0 for row in email_pipeline.owed())
        email_pipeline.pass_time()

    assert [mail.template for mail in doubles.loops.mails] == ["training_complete"]
    assert email_pipeline.owed() == []


def test_an_email_that_may_have_been_sent_is_held_once_its_key_is_forgotten(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(email_pipeline.assembly, training_completed(user_id))
    doubles.set_fault("loops", "lose", times=1)
    try_once(email_pipeline)
    wait_a_day(email_pipeline, doubles)

    email_pipeline.work()

    assert len(doubles.loops.mails) == 1
    assert send_log_row(email_pipeline.assembly).held_at is not None
    (owed,) = email_pipeline.owed()
    assert owed.died_at is not None
    assert "insights emails settle" in owed.last_error


def test_an_email_that_was_surely_not_sent_is_not_held(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(email_pipeline.assembly, training_completed(user_id))
    doubles.set_fault("loops", "status", status=429, times=1)
    try_once(email_pipeline)
    wait_a_day(email_pipeline, doubles)

    email_pipeline.work()

    assert len(doubles.loops.mails) == 1
    assert email_pipeline.owed() == []


def test_what_loops_will_never_take_is_dead_at_once_and_quotes_no_address(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(email_pipeline.assembly, training_completed(user_id))
    doubles.set_fault("loops", "status", status=400)

    email_pipeline.work()

    (owed,) = email_pipeline.owed()
    assert owed.died_at is not None
    assert owed.last_error.startswith("Loops answers 400")
    assert "@" not in owed.last_error
    assert send_log_row(email_pipeline.assembly).tried_at is None


def test_the_send_log_knows_the_email_templates_and_workflow_events_and_no_other(
    pipeline_with_doubles: Pipeline, user_id: UUID
) -> None:
    pipeline_with_doubles.follow(send_email, send_awaited_email, keep_contacts)
    emails = [event(user_id) for event, _ in EXPECTED.values()]
    # Of another training than the one that completed: a training ends once.
    emails = [
        each.model_copy(update={"training_id": "t-2"}) if isinstance(each, TrainingFailed) else each
        for each in emails
    ]
    milestones = [dataset_uploaded(user_id), UserInactive(user_id=user_id, days=14)]
    publish_now(pipeline_with_doubles.assembly, *emails, *milestones)

    for _ in range(3):
        pipeline_with_doubles.work()
        pipeline_with_doubles.pass_time()

    with pipeline_with_doubles.assembly.engine.connect() as connection:
        logged = set(connection.scalars(text("SELECT template FROM insights.emails")))
    assert logged == {*EmailTemplate, *(each.template for each in WorkflowEvent)}
    assert {each.template for each in WorkflowEvent} == {
        "workflow dataset_uploaded",
        "workflow training_completed",
        "workflow user_inactive",
    }
