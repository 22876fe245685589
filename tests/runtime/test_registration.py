"""Code adds what it knows to the database, and leaves alone what only other code knows."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import pytest
from sqlalchemy import Connection, text

from events import Catalogue, PredictionMade, uuid7
from events.contract.schema import data_schema
from events.personal import personal
from handlers.order import WrongOrder
from models import event_types, providers, subscriptions
from runtime.assembly import Assembly
from runtime.clients import PROVIDER_SETTINGS
from runtime.migrate import migrate
from runtime.registration import left_alone, missing, register
from tests.factories import signed_up
from tests.fake_handlers import FakeEffect, external_handler


@pytest.fixture
def rolled_back(assembly: Assembly) -> Iterator[Connection]:
    """A transaction that is rolled back: other tests need what is registered."""
    with assembly.engine.connect() as connection:
        yield connection


def newer_catalogue(version: int, **fields: Any) -> Catalogue:
    """A catalogue whose predictions have a newer version or more fields."""
    namespace = {"type": "prediction.made", "version": version, "__annotations__": fields}
    namespace |= dict.fromkeys(fields) | {"is_kept": "is_kept" in fields}
    namespace["__module__"] = __name__
    return Catalogue(iter([type("PredictionMade", (PredictionMade,), namespace)]))


def test_handlers_of_other_code_stay_subscribed_and_are_named(
    assembly: Assembly, rolled_back: Connection
) -> None:
    before = subscriptions.subscriptions(rolled_back)
    some = {name: assembly.handlers[name] for name in ("profiles", "cache")}

    said = register(rolled_back, assembly.catalogue, some)

    assert subscriptions.subscriptions(rolled_back) == before
    (usage,) = [each for each in said if "the handler usage," in each]
    assert "prediction.made" in usage
    assert "`insights handlers retire usage`" in usage
    assert not [each for each in said if "profiles" in each or "the handler cache" in each]


def test_a_type_that_a_handler_ceased_to_follow_stays_and_is_named(
    assembly: Assembly, rolled_back: Connection
) -> None:
    subscriptions.subscribe(rolled_back, [("user.logged_in", "usage")], {})

    said = register(rolled_back, assembly.catalogue, assembly.handlers)

    assert ("user.logged_in", "usage") in subscriptions.subscriptions(rolled_back)
    assert any("`insights handlers retire usage --event user.logged_in`" in each for each in said)


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        (2, {}),
        (1, {"note": str | None}),
        (1, {"model_id": Annotated[str | None, personal()]}),
        (1, {"model_id": str}),
        (1, {"is_kept": ClassVar[bool]}),
    ],
    ids=["a version", "a field", "that a field is personal", "a longer text", "that it is kept"],
)
def test_an_older_release_leaves_what_a_newer_one_knows_of_a_type(
    version: int, fields: dict[str, Any], assembly: Assembly, rolled_back: Connection
) -> None:
    newer = newer_catalogue(version, **fields)
    register(rolled_back, newer, {})
    rules = (version, data_schema(newer["prediction.made"]))
    assert event_types.registered_types(rolled_back)["prediction.made"] == rules

    said = register(rolled_back, assembly.catalogue, assembly.handlers)

    assert event_types.registered_types(rolled_back)["prediction.made"] == rules
    assert any("prediction.made, of which the database knows a newer" in each for each in said)
    assert missing(rolled_back, assembly.catalogue, assembly.handlers) == []


def test_a_type_of_which_other_code_has_more_and_less_is_written(
    assembly: Assembly, rolled_back: Connection
) -> None:
    register(rolled_back, newer_catalogue(1, note=str | None), {})
    other = newer_catalogue(1, reason=str | None)

    register(rolled_back, other, {})

    rules = (1, data_schema(other["prediction.made"]))
    assert event_types.registered_types(rolled_back)["prediction.made"] == rules


def test_a_type_that_is_older_in_the_database_is_written(
    assembly: Assembly, rolled_back: Connection
) -> None:
    rolled_back.execute(
        text("""
            UPDATE insights.event_types SET schema = schema #- '{properties,batch}'
            WHERE type = 'prediction.made'
        """)
    )
    assert missing(rolled_back, assembly.catalogue, assembly.handlers) == ["prediction.made"]

    register(rolled_back, assembly.catalogue, assembly.handlers)

    assert missing(rolled_back, assembly.catalogue, assembly.handlers) == []


def test_code_that_has_a_retired_handler_subscribes_it_again(
    assembly: Assembly, rolled_back: Connection
) -> None:
    before = subscriptions.subscriptions(rolled_back)
    subscriptions.unsubscribe(rolled_back, "usage")
    assert "prediction.made → usage" in missing(rolled_back, assembly.catalogue, assembly.handlers)

    register(rolled_back, assembly.catalogue, assembly.handlers)

    assert subscriptions.subscriptions(rolled_back) == before
    assert list(left_alone(rolled_back, assembly.catalogue, assembly.handlers)) == []


def test_code_that_names_no_provider_leaves_the_one_that_is_named(
    assembly: Assembly, rolled_back: Connection
) -> None:
    ours = {"emails": external_handler(FakeEffect(), "emails")}

    said = register(rolled_back, assembly.catalogue, ours)

    assert any("emails is a handler of loops in the database, not in" in each for each in said)
    loops, *_ = providers.providers(rolled_back)
    assert "emails" in loops.handlers


def test_a_provider_without_a_key_is_said_to_be_off(assembly: Assembly) -> None:
    said = migrate(assembly.engine, assembly.catalogue, assembly.handlers)

    loops, posthog, *_ = said
    assert "loops is undecided and so off: nothing is owed to contacts, emails," in loops
    assert "LOOPS_API_KEY" in loops
    assert "`insights providers on posthog`" in posthog


def test_a_provider_with_a_key_is_switched_on_and_its_handlers_history_offered(
    assembly: Assembly,
) -> None:
    keys = list(PROVIDER_SETTINGS)
    first, *_ = migrate(assembly.engine, assembly.catalogue, assembly.handlers, keys)
    assert first == "loops is on: events are owed to contacts, emails, emails_awaited."
    assert migrate(assembly.engine, assembly.catalogue, assembly.handlers, keys) == []


def test_the_history_is_offered_where_there_is_one(
    assembly: Assembly, rolled_back: Connection
) -> None:
    assembly.publish(signed_up(uuid7()))

    (loops,) = register(rolled_back, assembly.catalogue, assembly.handlers, ["loops"])[:1]

    for name in ("contacts", "emails", "emails_awaited"):
        assert f"`insights replay --handler {name} --history`" in loops


def test_an_operators_off_stands_whoever_has_the_key(
    assembly: Assembly, rolled_back: Connection
) -> None:
    providers.switch_off(rolled_back, "loops")

    said = register(rolled_back, assembly.catalogue, assembly.handlers, ["loops"])

    assert not [each for each in said if "loops" in each]
    assert providers.providers(rolled_back)[0].is_on is False


def test_the_order_of_handlers_is_written_and_follows_the_code(
    assembly: Assembly, rolled_back: Connection
) -> None:
    late = external_handler(FakeEffect(), "late", after=["usage"])
    register(rolled_back, assembly.catalogue, assembly.handlers | {"late": late})
    first = subscriptions.order(rolled_back)["late"]

    late = external_handler(FakeEffect(), "late", after=["profiles"])
    register(rolled_back, assembly.catalogue, assembly.handlers | {"late": late})

    assert (first, subscriptions.order(rolled_back)["late"]) == ({"usage"}, {"profiles"})


def test_a_circle_with_the_order_of_another_release_is_refused(
    assembly: Assembly, rolled_back: Connection
) -> None:
    """Either order could be kept; both together would keep events waiting for ever."""
    hen = external_handler(FakeEffect(), "hen", after=["egg"])
    register(rolled_back, assembly.catalogue, {"egg": external_handler(FakeEffect(), "egg")})
    register(rolled_back, assembly.catalogue, {"hen": hen})

    egg = external_handler(FakeEffect(), "egg", after=["hen"])
    with pytest.raises(WrongOrder, match="circle"):
        register(rolled_back, assembly.catalogue, {"egg": egg})
