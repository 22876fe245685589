"""A provider is down for an hour under load, then back: nothing dead, nothing lost or twice."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from events import Event, UserSignedUp, uuid7
from handlers import Handler
from handlers.analytics import forward
from handlers.contacts import keep_contacts
from handlers.emails import send_awaited_email, send_email
from handlers.profiles import keep_profiles
from handlers.usage import count_usage
from tests.conftest import publish_now
from tests.doubles import Doubles
from tests.engine import Engine
from tests.handlers.test_contacts import uploaded
from tests.handlers.test_emails import completed

MINUTES = 60
MOVE = (
    "UPDATE insights.handlers SET resume_at = resume_at - interval '1 minute'",
    "UPDATE insights.deliveries SET due_at = due_at - interval '1 minute' WHERE NOT leased",
)
OUTAGES: dict[str, dict[str, Any]] = {
    "answers 503": {"kind": "status", "status": 503},
    "drops connections": {"kind": "drop"},
    "loses its answers": {"kind": "lose"},
}


def pass_a_minute(engine: Engine) -> None:
    with engine.assembly.engine.begin() as connection:
        for statement in MOVE:
            connection.execute(text(statement))


def live_through(
    engine: Engine, down: Callable[[], None], up: Callable[[], None], load: Iterator[Event]
) -> None:
    """An hour without the provider, an event a minute; then it is back."""
    down()
    for _ in range(MINUTES):
        publish_now(engine.assembly, next(load))
        engine.work()
        pass_a_minute(engine)
        assert all(row.died_at is None and row.attempts == 0 for row in engine.owed())
    up()
    for _ in range(6):
        engine.work()
        pass_a_minute(engine)
    assert engine.owed() == []


def follow(engine: Engine, *handlers: Handler) -> None:
    engine.follow(*handlers, count_usage)


@pytest.mark.parametrize("outage", OUTAGES)
def test_analytics_catches_up(
    outage: str, outfitted: Engine, doubles: Doubles, user_id: UUID
) -> None:
    follow(outfitted, forward)
    load = [uploaded(user_id) for _ in range(MINUTES)]

    live_through(
        outfitted,
        lambda: doubles.break_down("posthog", **OUTAGES[outage]),
        lambda: doubles.mend("posthog"),
        iter(load),
    )

    uploads = [each for each in doubles.posthog.events() if each.event == "dataset_uploaded"]
    assert sorted(each.uuid for each in uploads) == sorted(str(event.id) for event in load)


@pytest.mark.parametrize("outage", OUTAGES)
def test_emails_go_out_once_each(
    outage: str, outfitted: Engine, doubles: Doubles, user_id: UUID
) -> None:
    doubles.loops.per_second = 1_000
    assert outfitted.assembly.services.loops is not None
    outfitted.assembly.services.loops.pace.distance = 1_000
    follow(outfitted, send_email, send_awaited_email)
    load = [completed(user_id, f"t-{number}") for number in range(MINUTES)]

    live_through(
        outfitted,
        lambda: doubles.break_down("loops", **OUTAGES[outage]),
        lambda: doubles.mend("loops"),
        iter(load),
    )

    keys = [mail.key for mail in doubles.loops.mails]
    assert len(keys) == len(set(keys)) == MINUTES


def test_contacts_are_as_the_profiles_are_in_the_end(outfitted: Engine, doubles: Doubles) -> None:
    doubles.loops.per_second = 1_000
    assert outfitted.assembly.services.loops is not None
    outfitted.assembly.services.loops.pace.distance = 1_000
    follow(outfitted, keep_contacts, keep_profiles)
    load = [
        UserSignedUp(user_id=uuid7(), email=f"u{number}@example.com") for number in range(MINUTES)
    ]

    live_through(
        outfitted,
        lambda: doubles.break_down("loops", "status", status=500),
        lambda: doubles.mend("loops"),
        iter(load),
    )

    emails = sorted(contact.email for contact in doubles.loops.audience.contacts)
    assert emails == sorted(event.email for event in load)


def test_while_it_is_down_a_provider_is_asked_seldom_and_others_go_on(
    outfitted: Engine, doubles: Doubles, user_id: UUID
) -> None:
    follow(outfitted, forward)
    load = iter(uploaded(user_id) for _ in range(MINUTES))

    live_through(
        outfitted,
        lambda: doubles.break_down("posthog", "status", status=500),
        lambda: doubles.mend("posthog"),
        load,
    )

    met = doubles.server.world.faults.met["posthog"]
    assert MINUTES / 4 <= met <= MINUTES * 3
    with outfitted.assembly.engine.connect() as connection:
        counted = connection.scalar(text("SELECT datasets_count FROM public.usage_limits"))
    assert counted == MINUTES


def test_after_an_outage_mails_that_a_person_waits_for_go_first(
    outfitted: Engine, doubles: Doubles, user_id: UUID
) -> None:
    follow(outfitted, send_email, send_awaited_email)
    doubles.break_down("loops", "drop")
    notices = [completed(user_id, f"t-{number}") for number in range(12)]
    publish_now(outfitted.assembly, *notices)
    outfitted.work()
    welcome = UserSignedUp(user_id=user_id, email="ada@example.com")
    publish_now(outfitted.assembly, welcome)
    outfitted.work()
    doubles.mend("loops")
    for _ in range(3):
        pass_a_minute(outfitted)
        outfitted.work()

    order = [mail.template for mail in doubles.loops.mails]
    assert sorted(order) == ["training_complete"] * 12 + ["welcome"]
    assert order.index("welcome") <= 2
