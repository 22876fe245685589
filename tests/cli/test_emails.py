"""Commands about emails: how they look, and what becomes of those that are held."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from handlers.emails.handler import send_email
from tests.cli.conftest import Insights
from tests.doubles import Doubles
from tests.factories import publish_now, training_completed
from tests.handlers.steps import try_once, wait_a_day
from tests.pipeline import Pipeline


def test_previews_are_files_without_a_variable_left(insights: Insights, tmp_path: Path) -> None:
    result = insights("emails", "preview", str(tmp_path / "previews"))

    pages = {page.stem: page.read_text() for page in (tmp_path / "previews").iterdir()}
    assert result.exit_code == 0
    assert len(pages) == 5
    assert not any("DATA_VARIABLE" in page for page in pages.values())
    assert "92.31%" in pages["training_complete"]


@pytest.fixture
def held(pipeline_with_doubles: Pipeline, doubles: Doubles, user_id: UUID) -> Pipeline:
    """One email of which it is unknown whether it was sent; it was not."""
    pipeline_with_doubles.follow(send_email)
    publish_now(pipeline_with_doubles.assembly, training_completed(user_id))
    doubles.set_fault("loops", "status", status=500, times=1)
    try_once(pipeline_with_doubles)
    wait_a_day(pipeline_with_doubles, doubles)
    pipeline_with_doubles.work()
    return pipeline_with_doubles


def test_a_held_email_is_listed(held: Pipeline, insights: Insights, user_id: UUID) -> None:
    result = insights("emails", "held")

    assert "training_complete" in result.stdout
    assert str(user_id) in result.stdout


def test_one_that_was_not_sent_is_sent(
    held: Pipeline, insights: Insights, doubles: Doubles
) -> None:
    result = insights("emails", "settle", "--not-sent")
    held.work()

    assert "1 emails are settled" in result.stdout
    assert [mail.template for mail in doubles.loops.mails] == ["training_complete"]
    assert held.owed() == []


def test_one_that_was_sent_is_not_sent_again(
    held: Pipeline, insights: Insights, doubles: Doubles
) -> None:
    insights("emails", "settle", "--sent")
    held.work()

    assert doubles.loops.mails == []
    assert held.owed() == []
    with held.assembly.engine.connect() as connection:
        sent = "SELECT count(*) FROM insights.emails WHERE sent_at IS NOT NULL"
        assert connection.scalar(text(sent)) == 1


def test_whether_it_was_sent_must_be_said(insights: Insights) -> None:
    result = insights("emails", "settle")

    assert result.exit_code == 1
    assert "--sent or --not-sent" in result.stderr
