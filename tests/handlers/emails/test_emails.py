"""Each email once for ever, with what its template needs, whatever Loops does meanwhile."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import (
    Event,
    SubscriptionActivated,
    TrainingCompleted,
    TrainingFailed,
    UsageThresholdReached,
    UserDeleted,
    UserSignedUp,
)
from handlers.emails.handler import send_awaited_email, send_email
from handlers.emails.templates import sources
from runtime.assembly import Assembly
from sandbox.templates import Template
from tests.doubles import Doubles
from tests.factories import publish_now
from tests.pipeline import Pipeline

APP = "http://localhost:3000"


def signed_up(user: UUID) -> UserSignedUp:
    return UserSignedUp(user_id=user, email="ada@example.com", name="Ada")


def completed(user: UUID, training: str = "t-1", **more: Any) -> TrainingCompleted:
    made: dict[str, Any] = {
        "model_id": "m-1", "model_name": "Churn", "algorithm": "random_forest",
        "problem_type": "classification", "duration_seconds": 2.5, "accuracy": 0.92314,
    }  # fmt: skip
    return TrainingCompleted(user_id=user, training_id=training, **made | more)


def failed(user: UUID) -> TrainingFailed:
    return TrainingFailed(
        user_id=user, training_id="t-1", reason="The column is empty.", model_name="Churn"
    )


def reached(user: UUID, threshold: Any = 80, month: str = "2026-11") -> UsageThresholdReached:
    return UsageThresholdReached(
        user_id=user, resource="predictions", month=month, current=80, limit=100,
        threshold=threshold,
    )  # fmt: skip


def subscribed(user: UUID) -> SubscriptionActivated:
    return SubscriptionActivated(user_id=user, subscription_id="sub_1", plan="pro")


LETTERS: dict[str, tuple[Callable[[UUID], Event], dict[str, Any]]] = {
    "welcome": (
        signed_up,
        {"name": "Ada", "dashboard_url": f"{APP}/dashboard", "docs_url": f"{APP}/docs"},
    ),
    "training_complete": (
        completed,
        {"model_name": "Churn", "accuracy": "92.31", "view_model_url": f"{APP}/models/m-1"},
    ),
    "training_failed": (
        failed,
        {
            "model_name": "Churn",
            "reason": "The column is empty.",
            "dashboard_url": f"{APP}/dashboard",
        },
    ),
    "limit_warning": (
        reached,
        {"resource": "predictions", "current": 80, "limit": 100, "upgrade_url": f"{APP}/pricing"},
    ),
    "subscription_confirmed": (subscribed, {"plan": "Pro", "dashboard_url": f"{APP}/dashboard"}),
}


@pytest.fixture
def mailing(pipeline_with_doubles: Pipeline) -> Pipeline:
    pipeline_with_doubles.follow(send_email, send_awaited_email)
    return pipeline_with_doubles


def standing(assembly: Assembly) -> Any:
    with assembly.engine.connect() as connection:
        return connection.execute(text("SELECT * FROM insights.emails")).one()


@pytest.mark.parametrize("name", LETTERS)
def test_an_email_follows_with_exactly_these_variables(
    name: str, mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    event, variables = LETTERS[name]
    publish_now(mailing.assembly, event(user_id))

    mailing.work()

    (mail,) = doubles.loops.mails
    assert (mail.template, mail.data) == (name, variables)
    assert mail.email in ("ada@example.com", f"{user_id.hex}@example.com")
    assert mailing.owed() == []


@pytest.mark.parametrize("name", LETTERS)
def test_a_template_needs_what_its_handler_gives_no_more_and_no_less(name: str) -> None:
    _, variables = LETTERS[name]

    assert Template(name, sources()[name]).variables == variables.keys()


def test_there_is_a_template_for_each_email_and_a_setting(mailing: Pipeline) -> None:
    assert set(sources()) == set(LETTERS) == set(mailing.assembly.settings.emails)


def test_an_email_goes_out_once_however_often_its_event_is_published(
    mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    event = signed_up(user_id)
    for each in (event, event, signed_up(user_id)):
        publish_now(mailing.assembly, each)
    for message in mailing.lease():
        mailing.deliver(message)
        mailing.deliver(message)

    assert [mail.template for mail in doubles.loops.mails] == ["welcome"]
    assert doubles.loops.requests == 1


def test_each_training_and_each_month_has_its_own_email(
    mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    events = [completed(user_id, "t-1"), completed(user_id, "t-2")]
    publish_now(mailing.assembly, *events, reached(user_id), reached(user_id, month="2026-12"))

    mailing.work()

    assert len(doubles.loops.mails) == 4


def test_a_regression_tells_its_r2(mailing: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    regression = completed(user_id, problem_type="regression", accuracy=None, metrics={"r2": 0.5})
    publish_now(mailing.assembly, regression)

    mailing.work()

    assert doubles.loops.mails[0].data["accuracy"] == "50.00"


@pytest.mark.parametrize("share", [0, 100])
def test_a_full_limit_is_warned_of_only_where_the_flag_is_on(
    share: int, mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    groups = [{"properties": [], "rollout_percentage": share}]
    flag = {"id": 1, "key": "warn-when-limit-is-reached", "active": True}
    doubles.posthog.flags = [flag | {"filters": {"groups": groups}}]
    publish_now(mailing.assembly, reached(user_id, 100))

    mailing.work()

    assert [mail.template for mail in doubles.loops.mails] == ["limit_warning"] * (share == 100)


def test_who_has_left_gets_no_mail(mailing: Pipeline, doubles: Doubles, user_id: UUID) -> None:
    everybody = Pipeline(mailing.assembly)
    publish_now(mailing.assembly, completed(user_id), UserDeleted(user_id=user_id))
    with mailing.assembly.engine.begin() as connection:
        note = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
        connection.execute(text(note), {"id": user_id})

    everybody.work()

    assert doubles.loops.mails == []


def test_an_address_that_is_not_there_yet_is_waited_for(
    mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    with mailing.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE public.profiles SET email = NULL"))
    publish_now(mailing.assembly, completed(user_id))
    mailing.work()
    (owed,) = mailing.owed()
    assert (owed.attempts, owed.died_at) == (0, None)

    with mailing.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE public.profiles SET email = 'late@example.com'"))
    mailing.pass_time()
    mailing.work()

    assert [mail.email for mail in doubles.loops.mails] == ["late@example.com"]


def test_a_missing_id_is_a_dead_letter_that_names_the_setting(
    assembly: Assembly, doubles: Doubles, user_id: UUID
) -> None:
    settings = doubles.settings(assembly.settings)
    lacking = Assembly(settings.model_copy(update={"loops_training_complete_id": None}))
    pipeline = Pipeline(lacking)
    pipeline.follow(send_email)
    publish_now(assembly, completed(user_id))

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert "LOOPS_TRAINING_COMPLETE_ID is not set" in owed.last_error
    lacking.close()


def test_without_a_key_nothing_is_owed(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    pipeline.follow(send_email, send_awaited_email)
    publish_now(assembly, signed_up(user_id), completed(user_id))

    pipeline.work()

    assert pipeline.owed() == []


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
    fault: dict[str, Any], mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(mailing.assembly, completed(user_id))
    doubles.break_down("loops", **fault)

    for _ in range(3):
        message = mailing.lease()
        if message:
            mailing.deliver(message[0])
        assert all(row.attempts == 0 for row in mailing.owed())
        mailing.pass_time()

    assert [mail.template for mail in doubles.loops.mails] == ["training_complete"]
    assert mailing.owed() == []


def test_an_email_that_may_have_been_sent_is_held_once_its_key_is_forgotten(
    mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(mailing.assembly, completed(user_id))
    doubles.break_down("loops", "lose", times=1)
    try_once(mailing)
    wait_a_day(mailing, doubles)

    mailing.work()

    assert len(doubles.loops.mails) == 1
    assert standing(mailing.assembly).held_at is not None
    (owed,) = mailing.owed()
    assert owed.died_at is not None
    assert "insights emails settle" in owed.last_error


def test_an_email_that_was_surely_not_sent_is_not_held(
    mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(mailing.assembly, completed(user_id))
    doubles.break_down("loops", "status", status=429, times=1)
    try_once(mailing)
    wait_a_day(mailing, doubles)

    mailing.work()

    assert len(doubles.loops.mails) == 1
    assert mailing.owed() == []


def test_what_loops_will_never_take_is_dead_at_once_and_quotes_no_address(
    mailing: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    publish_now(mailing.assembly, completed(user_id))
    doubles.break_down("loops", "status", status=400)

    mailing.work()

    (owed,) = mailing.owed()
    assert owed.died_at is not None
    assert owed.last_error.startswith("Loops answers 400")
    assert "@" not in owed.last_error
    assert standing(mailing.assembly).tried_at is None


def try_once(mailing: Pipeline) -> None:
    (message,) = mailing.lease()
    mailing.deliver(message)


def wait_a_day(mailing: Pipeline, doubles: Doubles) -> None:
    doubles.pass_time(25)
    mailing.pass_time()
    with mailing.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.emails SET tried_at = tried_at - interval '25 h'"))
        connection.execute(text("UPDATE insights.handlers SET resume_at = NULL"))
