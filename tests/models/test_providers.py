"""Whether a provider is on is one fact in the database, which fan-out and taking obey."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from events import publish, uuid7
from models import providers
from models.deliveries.backlog import handlers_of_event, summary
from models.deliveries.claim import claim
from runtime.assembly import Assembly
from runtime.clients import PROVIDER_SETTINGS
from tests.factories import dataset_uploaded, prediction_made, publish_now, signed_up
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline

INSERT = text("""
    INSERT INTO insights.events (id, type, source, user_id, data)
    VALUES (gen_random_uuid(), 'user.signed_up', 'sql', :user, '{"email": "ada@example.com"}')
""")
PUBLISH = text("SELECT publish_event('user.signed_up', '{\"email\": \"ada@example.com\"}', :user)")
OWED = text("SELECT DISTINCT handler FROM insights.delivery_states")
LOOPS = {"emails_awaited", "contacts"}


def switches(on: Connection) -> dict[str, bool | None]:
    return {each.name: each.is_on for each in providers.providers(on)}


def owed(on: Connection) -> set[str]:
    return set(on.scalars(OWED))


def test_nobody_has_decided_about_a_new_provider(connection: Connection) -> None:
    assert switches(connection) == dict.fromkeys(PROVIDER_SETTINGS)
    handlers = {each.name: each.handlers for each in providers.providers(connection)}
    assert handlers["loops"] == ["contacts", "emails", "emails_awaited"]
    assert handlers["posthog"] == ["analytics"]


@pytest.mark.parametrize("way", ["python", "insert", "sql function"])
def test_nothing_is_owed_to_a_handler_whose_provider_is_not_on(
    way: str, assembly: Assembly, connection: Connection, user_id: UUID
) -> None:
    def publish() -> set[str]:
        connection.execute(text("TRUNCATE insights.events, insights.deliveries"))
        if way == "python":
            publish_now(assembly, signed_up(user_id))
        else:
            connection.execute(INSERT if way == "insert" else PUBLISH, {"user": user_id})
        return owed(connection)

    undecided = publish()
    providers.switch_on(connection, "loops")
    on = publish()
    providers.switch_off(connection, "loops")
    off = publish()

    assert "profiles" in undecided
    assert not undecided & {*LOOPS, "analytics"}
    assert on == undecided | LOOPS
    assert off == undecided


def test_a_key_decides_only_where_nobody_has(connection: Connection) -> None:
    providers.switch_off(connection, "posthog")

    assert providers.switch_on_undecided(connection, ["loops", "posthog"]) == {"loops"}
    assert providers.switch_on_undecided(connection, ["loops", "posthog"]) == set()
    assert switches(connection) == dict.fromkeys(PROVIDER_SETTINGS) | {
        "loops": True, "posthog": False
    }  # fmt: skip


def test_a_provider_of_newer_code_is_switched_on_before_it_is_registered(
    assembly: Assembly,
) -> None:
    with assembly.engine.connect() as rolled_back:
        assert providers.switch_on_undecided(rolled_back, ["sms"]) == {"sms"}
        providers.register(rolled_back, ["sms"])

        assert switches(rolled_back)["sms"] is True


def test_what_is_owed_already_waits_while_its_provider_is_off(
    assembly: Assembly, connection: Connection, pipeline: Pipeline
) -> None:
    effect = FakeEffect()
    handler = external_handler(effect, provider="loops")
    pipeline.follow(handler)
    providers.switch_on(connection, "loops")
    publish_now(assembly, prediction_made(UUID(int=1)), prediction_made(UUID(int=1)))
    assert pipeline.rung() == ["external"]
    providers.switch_off(connection, "loops")

    assert claim(connection, "external", 9, handler.lease) == []
    pipeline.answer("external")
    assert pipeline.rung() == []
    assert effect.calls == []
    assert [row.attempts for row in pipeline.owed()] == [0, 0]

    providers.switch_on(connection, "loops")
    pipeline.work()
    assert len(effect.seen) == 2
    assert pipeline.owed() == []


def test_an_event_of_a_time_when_a_provider_was_off_was_not_done(
    assembly: Assembly, connection: Connection, pipeline: Pipeline, user_id: UUID
) -> None:
    pipeline.follow(external_handler(FakeEffect(), provider="loops"))
    events = [prediction_made(user_id) for _ in range(4)]
    for event, switch in zip(
        events, [providers.switch_on, providers.switch_off, providers.switch_on, None], strict=True
    ):
        publish_now(assembly, event)
        if switch:
            switch(connection, "loops")
    pipeline.work()

    with assembly.sessions() as session:
        was_off = [
            each.was_off
            for event in events
            for each in handlers_of_event(session, event.id, event.type)
        ]
    assert was_off == [True, False, True, False]


def test_the_summary_says_whose_provider_is_off(assembly: Assembly, connection: Connection) -> None:
    publish_now(assembly, dataset_uploaded(UUID(int=1)))
    providers.switch_on(connection, "posthog")

    rows = {row.handler: row for row in summary(connection)}

    off = {name for name, row in rows.items() if row.is_off}
    assert {"contacts", "emails", "emails_awaited"} <= off
    assert not off & {"analytics", "usage"}
    assert rows["emails"].provider == "loops"
    assert rows["usage"].provider is None


def test_what_is_published_after_the_switch_counts_as_published_then_however_old_its_transaction(
    assembly: Assembly,
) -> None:
    event = signed_up(uuid7())
    with assembly.engine.begin() as connection:
        providers.switch_on(connection, "loops")
    with assembly.sessions.begin() as session:
        session.execute(text("SELECT 1"))
        with assembly.engine.begin() as connection:
            providers.switch_off(connection, "loops")
        publish(session, event)

    with assembly.sessions.begin() as session:
        found = handlers_of_event(session, event.id, event.type)
    assert {each.was_off for each in found if each.handler == "emails_awaited"} == {True}
