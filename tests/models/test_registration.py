"""What `insights migrate` writes: event types and subscriptions, as the code has them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from events import uuid7
from models import event_types, subscriptions
from models.event_types import EventType
from runtime.assembly import Assembly
from tests.factories import owe

FLEW = EventType("user.flew", 1, {"required": ["miles"]})


@pytest.fixture
def rolled_back(assembly: Assembly) -> Iterator[Connection]:
    """A transaction that is rolled back: other tests need what is registered."""
    with assembly.engine.connect() as connection:
        yield connection


def test_a_type_is_added_and_changed_and_others_stay(rolled_back: Connection) -> None:
    before = event_types.registered_types(rolled_back)

    event_types.register(rolled_back, [FLEW])
    event_types.register(rolled_back, [FLEW._replace(version=2, schema={})])

    assert event_types.registered_types(rolled_back) == before | {"user.flew": (2, {})}
    assert "user.flew" not in before


def test_subscriptions_are_added_and_end_only_by_name(rolled_back: Connection) -> None:
    before = subscriptions.subscriptions(rolled_back)
    more = {("user.deleted", "usage"), ("user.updated", "usage")}

    subscriptions.subscribe(rolled_back, more, {})
    assert subscriptions.subscriptions(rolled_back) == before | more

    subscriptions.unsubscribe(rolled_back, "usage", "user.deleted")
    assert subscriptions.subscriptions(rolled_back) == (before | more) - {("user.deleted", "usage")}
    subscriptions.unsubscribe(rolled_back, "usage")
    assert {name for _, name in before} - {"usage"} == {
        name for _, name in subscriptions.subscriptions(rolled_back)
    }


def test_what_is_owed_stays_owed_when_a_subscription_ends(rolled_back: Connection) -> None:
    owe(rolled_back, "usage", uuid7())

    subscriptions.unsubscribe(rolled_back, "usage")

    assert rolled_back.scalar(text("SELECT count(*) FROM insights.deliveries")) == 1
