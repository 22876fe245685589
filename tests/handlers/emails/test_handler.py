"""To whom emails go, and that each goes out once however often its event is handled."""

from uuid import UUID

from sqlalchemy import text

from events import UserDeleted
from handlers.emails.handler import send_awaited_email, send_email
from runtime.assembly import Assembly
from tests.doubles import Doubles
from tests.factories import owe, publish_now, signed_up, training_completed
from tests.handlers.emails.expected import threshold_reached
from tests.pipeline import Pipeline


def test_an_email_goes_out_once_however_often_its_event_is_published(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    event = signed_up(user_id)
    for each in (event, event, signed_up(user_id)):
        publish_now(email_pipeline.assembly, each)
    email_pipeline.work()
    with email_pipeline.assembly.engine.begin() as connection:
        owe(connection, "emails_awaited", event.id)
    email_pipeline.work()

    assert [mail.template for mail in doubles.loops.mails] == ["welcome"]
    assert doubles.loops.requests == 1


def test_each_training_and_each_month_has_its_own_email(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    events = [training_completed(user_id, "t-1"), training_completed(user_id, "t-2")]
    warnings = [threshold_reached(user_id), threshold_reached(user_id, month="2026-12")]
    publish_now(email_pipeline.assembly, *events, *warnings)

    email_pipeline.work()

    assert len(doubles.loops.mails) == 4


def test_a_deleted_user_gets_no_email(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    all_handlers = Pipeline(email_pipeline.assembly)
    deleted = UserDeleted(user_id=user_id)
    publish_now(email_pipeline.assembly, training_completed(user_id), deleted)
    with email_pipeline.assembly.engine.begin() as connection:
        note = "INSERT INTO insights.profile_news (user_id, deleted_at) VALUES (:id, now())"
        connection.execute(text(note), {"id": user_id})

    all_handlers.work()

    assert doubles.loops.mails == []


def test_an_address_that_is_not_there_yet_is_waited_for(
    email_pipeline: Pipeline, doubles: Doubles, user_id: UUID
) -> None:
    with email_pipeline.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE public.profiles SET email = NULL"))
    publish_now(email_pipeline.assembly, training_completed(user_id))
    email_pipeline.work()
    (owed,) = email_pipeline.owed()
    assert (owed.attempts, owed.died_at) == (0, None)

    with email_pipeline.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE public.profiles SET email = 'late@example.com'"))
    email_pipeline.pass_time()
    email_pipeline.work()

    assert [mail.email for mail in doubles.loops.mails] == ["late@example.com"]


def test_a_missing_id_is_a_dead_letter_that_names_the_setting(
    assembly: Assembly, doubles: Doubles, user_id: UUID
) -> None:
    settings = doubles.settings(assembly.settings)
    lacking = Assembly(settings.model_copy(update={"loops_training_complete_id": None}))
    pipeline = Pipeline(lacking)
    pipeline.follow(send_email)
    publish_now(assembly, training_completed(user_id))

    pipeline.work()

    (owed,) = pipeline.owed()
    assert owed.died_at is not None
    assert "LOOPS_TRAINING_COMPLETE_ID is not set" in owed.last_error
    lacking.close()


def test_without_a_key_nothing_is_owed(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    pipeline.follow(send_email, send_awaited_email)
    publish_now(assembly, signed_up(user_id), training_completed(user_id))

    assert pipeline.owed() == []


def test_a_delivery_that_comes_to_a_worker_without_the_key_is_not_called_done(
    assembly_with_doubles: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly_with_doubles, training_completed(user_id))

    pipeline.work()

    waiting = {row.handler: row for row in pipeline.owed()}
    assert waiting.keys() == {"analytics", "contacts", "emails"}
    assert {row.attempts for row in waiting.values()} == {0}
    assert "no key of Loops" in waiting["emails"].last_error
