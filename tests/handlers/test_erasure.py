"""What a deleted user's events held of them is gone, whenever they come, and whatever is owed."""

import json
import re
from collections.abc import Iterator
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import (
    Event,
    NewsletterSubscribed,
    UserDeleted,
    UserSignedUp,
    UserUpdated,
    load_catalogue,
    publish,
)
from handlers import load_handlers
from handlers.erasure import erase
from models.events import is_erased
from runtime.assembly import Assembly
from runtime.registration import register
from tests.factories import (
    owe,
    prediction_made,
    profile_changes,
    publish_now,
    sign_up,
    signed_up,
)
from tests.handlers import extra_personal_events
from tests.handlers.extra_personal_events import InvoiceAddressed
from tests.handlers.steps import work_until_done
from tests.pipeline import Pipeline
from tests.waiting import wait_until

ADA = ("ada@example.com", "countess@example.com", "ada", "augusta")


def stored(assembly: Assembly, *events: Event) -> list[dict[str, Any]]:
    """The data of these events as they are stored now."""
    query = text("SELECT data FROM insights.events WHERE id = :id")
    with assembly.engine.connect() as connection:
        return [connection.execute(query, {"id": each.id}).scalar_one() for each in events]


def database_text(assembly: Assembly) -> str:
    """All rows of all tables of ours, in small letters."""
    tables = text("""
        SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
        WHERE table_schema IN ('insights', 'public') AND table_type = 'BASE TABLE'
    """)
    with assembly.engine.connect() as connection:
        names = connection.scalars(tables).all()
        rows = [row for name in names for row in connection.execute(text(f"SELECT * FROM {name}"))]
    return str(rows).lower()


def names_in(found: str) -> list[str]:
    """Which of ADA stand in a text as words of their own: `ada` may be part of a random id."""
    return [word for word in ADA if re.search(rf"\b{re.escape(word)}\b", found)]


def test_nothing_that_names_a_deleted_user_is_left_in_the_database(
    erasing: Pipeline, user_id: UUID
) -> None:
    assembly = erasing.assembly
    published = [*profile_changes(user_id), prediction_made(user_id)]
    publish_now(assembly, *published)
    in_sql = "SELECT publish_event('newsletter.subscribed', '{\"email\": \"ADA@Example.com\"}')"
    with assembly.engine.begin() as connection:
        connection.execute(text(in_sql.replace(":", "\\:")))
    work_until_done(erasing)
    assert names_in(database_text(assembly)) == list(ADA)

    publish_now(assembly, UserDeleted(user_id=user_id))
    work_until_done(erasing)

    assert names_in(database_text(assembly)) == []
    assert [is_erased(data) for data in stored(assembly, *published)] == [True] * 3 + [False]


@pytest.fixture
def with_extra_events(erasing: Pipeline) -> Iterator[Pipeline]:
    """The same with the events of a further package, which the catalogue knows until the end."""
    package = extra_personal_events.__name__
    erasing.handlers |= {"erasure": load_handlers(package)["erasure"]}
    with erasing.assembly.engine.begin() as connection:
        register(connection, load_catalogue(package), erasing.handlers)
    yield erasing
    with erasing.assembly.engine.begin() as connection:
        forget = text("DELETE FROM insights.event_types WHERE type = :type")
        connection.execute(forget, {"type": InvoiceAddressed.type})


@pytest.mark.parametrize("late", [True, False])
def test_an_erased_event_of_any_package_keeps_the_rest_and_fits_its_type(
    late: bool, with_extra_events: Pipeline, user_id: UUID
) -> None:
    erasing = with_extra_events
    event = InvoiceAddressed(
        user_id=user_id, number=7, to="ada@example.com", copies=["x@y.org"], note="For Ada"
    )
    publish_now(erasing.assembly, UserDeleted(user_id=user_id) if late else event)
    work_until_done(erasing)
    publish_now(erasing.assembly, event if late else UserDeleted(user_id=user_id))

    work_until_done(erasing)

    (data,) = stored(erasing.assembly, event)
    assert data == {"number": 7, "to": "nobody@erased.invalid", "copies": [], "erased": True}
    (restored,) = InvoiceAddressed.restore([json.dumps(data | {"user_id": str(user_id)})])
    assert restored.number == 7


@pytest.mark.parametrize("deleted_first", [True, False])
def test_events_that_come_after_the_deletion_are_erased_too(
    deleted_first: bool, erasing: Pipeline, user_id: UUID
) -> None:
    late = [UserUpdated(user_id=user_id, email="late@example.com"), signed_up(user_id)]
    end = UserDeleted(user_id=user_id)
    publish_now(erasing.assembly, *([end] if deleted_first else late))
    if deleted_first:
        work_until_done(erasing)
    publish_now(erasing.assembly, *(late if deleted_first else [end]))

    work_until_done(erasing)

    assert all(is_erased(data) for data in stored(erasing.assembly, *late))


def test_an_event_that_commits_while_its_user_is_erased_is_erased(
    erasing: Pipeline, user_id: UUID
) -> None:
    late = UserUpdated(user_id=user_id, name="Late")
    with erasing.assembly.sessions() as slow:
        publish(slow, late)
        publish_now(erasing.assembly, UserDeleted(user_id=user_id))
        work_until_done(erasing)
        slow.commit()

    work_until_done(erasing)

    assert stored(erasing.assembly, late) == [{"erased": True}]


def test_an_event_that_is_handled_while_its_user_is_erased_waits_for_the_commit(
    erasing: Pipeline, user_id: UUID
) -> None:
    erasing.follow(erasing.handlers["erasure"])
    late = UserUpdated(user_id=user_id, name="Late")
    worker = Thread(target=erasing.work)
    with erasing.assembly.sessions.begin() as deletion:
        # It has looked for events, so it does not see this one; and it is not yet committed.
        erase([UserDeleted(user_id=user_id)], deletion)
        publish_now(erasing.assembly, late)
        worker.start()
        wait_until(lambda: waits_for_a_lock(erasing.assembly))
    worker.join()

    assert stored(erasing.assembly, late) == [{"erased": True}]


def waits_for_a_lock(assembly: Assembly) -> bool:
    query = text("""
        SELECT EXISTS (SELECT FROM pg_stat_activity
                       WHERE wait_event_type = 'Lock' AND datname = current_database())
    """)
    with assembly.engine.connect() as connection:
        return bool(connection.execute(query).scalar_one())


def test_another_users_events_stay(erasing: Pipeline, user_id: UUID) -> None:
    other = sign_up(erasing.assembly)
    theirs = [
        UserSignedUp(user_id=other, email="grace@example.com", name="Ada"),
        NewsletterSubscribed(email="grace@example.com"),
    ]
    publish_now(erasing.assembly, *theirs, signed_up(user_id), UserDeleted(user_id=user_id))

    work_until_done(erasing)

    assert [is_erased(data) for data in stored(erasing.assembly, *theirs)] == [False, False]


def test_an_address_that_only_the_profile_had_is_erased_in_the_newsletters_events(
    erasing: Pipeline, user_id: UUID
) -> None:
    # As on Supabase, where the platform made the profile before there were events.
    subscribed = NewsletterSubscribed(email=f"{user_id.hex}@example.com")
    publish_now(erasing.assembly, subscribed, UserDeleted(user_id=user_id))

    work_until_done(erasing)

    assert is_erased(*stored(erasing.assembly, subscribed))


def test_erasing_again_changes_nothing_and_is_reported_once(
    erasing: Pipeline, user_id: UUID
) -> None:
    event, end = signed_up(user_id), UserDeleted(user_id=user_id)
    publish_now(erasing.assembly, event, end)
    work_until_done(erasing)
    before = stored(erasing.assembly, event)

    with erasing.assembly.engine.begin() as connection:
        owe(connection, "erasure", end.id)
    work_until_done(erasing)

    assert stored(erasing.assembly, event) == before
    with erasing.assembly.engine.connect() as connection:
        erased = text("SELECT user_id FROM insights.events WHERE type = 'user.erased'")
        assert connection.scalars(erased).all() == [user_id]
