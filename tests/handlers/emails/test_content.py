"""What each email says: exactly the variables that its template has."""

from importlib.resources import files
from uuid import UUID

import pytest

from events import Event
from handlers.emails.handler import send_awaited_email, send_email
from handlers.emails.templates import sources
from handlers.send_once import EmailTemplate
from sandbox.loops.templates import Template
from settings import Settings
from tests.doubles import Doubles
from tests.factories import publish_now, training_completed
from tests.handlers.emails.expected import EXPECTED, threshold_reached
from tests.pipeline import Pipeline


@pytest.mark.parametrize("name", EXPECTED)
def test_an_email_follows_with_exactly_these_variables(
    name: EmailTemplate, email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    event, variables = EXPECTED[name]
    publish_now(email_pipeline.assembly, event(user_id))

    email_pipeline.work()

    (mail,) = doubles.loops.mails
    assert (mail.template, mail.data) == (name, variables)
    assert mail.email in ("ada@example.com", f"{user_id.hex}@example.com")
    assert email_pipeline.owed() == []


@pytest.mark.parametrize("name", EXPECTED)
def test_a_template_has_the_variables_that_its_email_gives_no_more_and_no_less(
    name: EmailTemplate,
) -> None:
    _, variables = EXPECTED[name]

    assert Template(name, sources()[name]).variables == variables.keys()


def test_each_template_has_an_html_file_a_setting_and_an_event() -> None:
    folder = files("handlers.emails.templates")
    html = {each.name for each in folder.iterdir() if each.name.endswith(".html")}

    assert html == {f"{each}.html" for each in EmailTemplate}
    assert set(sources()) == set(EXPECTED) == set(EmailTemplate)
    assert set(Settings(_env_file=None).emails) == set(EmailTemplate)


def test_every_event_that_the_handlers_follow_has_an_email() -> None:
    followed: set[type[Event]] = {*send_email.events, *send_awaited_email.events}

    assert {type(event(UUID(int=1))) for event, _ in EXPECTED.values()} == followed


def test_the_email_about_a_regression_gives_its_r2(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    regression = training_completed(
        user_id, problem_type="regression", accuracy=None, metrics={"r2": 0.5}
    )
    publish_now(email_pipeline.assembly, regression)

    email_pipeline.work()

    assert doubles.loops.mails[0].data["accuracy"] == "50.00"


@pytest.mark.parametrize("share", [0, 100])
def test_a_limit_that_is_reached_is_warned_of_only_where_the_flag_is_on(
    share: int, email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    groups = [{"properties": [], "rollout_percentage": share}]
    flag = {"id": 1, "key": "warn-when-limit-is-reached", "active": True}
    doubles.posthog.flags = [flag | {"filters": {"groups": groups}}]
    publish_now(email_pipeline.assembly, threshold_reached(user_id, 100))

    email_pipeline.work()

    assert [mail.template for mail in doubles.loops.mails] == ["limit_warning"] * (share == 100)
