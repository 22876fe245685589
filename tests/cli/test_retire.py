"""`insights handlers retire`: the only way in which a subscription ends."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from events import PredictionMade, uuid7
from models import subscriptions
from models.handlers import table as handler_table
from runtime.assembly import Assembly
from services.redis.doorbell import Listener, queue_bell
from tests.cli.conftest import Insights, flat, let_die
from tests.factories import owe, publish_now
from tests.waiting import wait_until

COUNT = text("SELECT count(*) FROM insights.delivery_states WHERE handler = :handler")


@pytest.fixture(autouse=True)
def other_code(assembly: Assembly) -> Iterator[None]:
    """Other code has a handler `sms`, and `usage` follows one type more there."""
    with assembly.engine.begin() as connection:
        handler_table.register(connection, ["sms"])
        more = [("prediction.made", "sms"), ("user.logged_in", "sms"), ("user.logged_in", "usage")]
        subscriptions.subscribe(connection, more, {})
    yield
    with assembly.engine.begin() as connection:
        handler_table.remove(connection, "sms")
        subscriptions.unsubscribe(connection, "usage", "user.logged_in")


def followed(assembly: Assembly, handler: str) -> set[str]:
    with assembly.engine.connect() as connection:
        return {t for t, name in subscriptions.subscriptions(connection) if name == handler}


def owed(assembly: Assembly, handler: str) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.scalar(COUNT, {"handler": handler}) or 0)


def predict(assembly: Assembly, count: int = 3) -> None:
    publish_now(assembly, *(PredictionMade(user_id=uuid7(), model_id="m") for _ in range(count)))


def names(insights: Insights) -> list[str]:
    output = json.loads(insights("handlers", "--json").stdout)
    return [each["name"] for each in output["unknown_handlers"]]


def test_a_handler_that_no_code_has_is_unsubscribed_and_forgotten(
    insights: Insights, assembly: Assembly
) -> None:
    assert "sms" in names(insights)

    result = insights("handlers", "retire", "sms", "--yes")

    assert result.exit_code == 0
    assert "sms will no longer follow prediction.made, user.logged_in." in flat(result.stdout)
    assert "sms is retired" in flat(result.stdout)
    assert followed(assembly, "sms") == set()
    assert "sms" not in names(insights)


def test_a_worker_that_still_has_it_is_noticed(insights: Insights, assembly: Assembly) -> None:
    listener = Listener(assembly.settings.redis, [queue_bell("sms")])
    listener.start()
    wait_until(lambda: assembly.doorbell.listeners(queue_bell("sms")) == 1)

    asked = insights("handlers", "retire", "sms", given="n\n")
    listener.stop()
    listener.join(5)
    wait_until(lambda: assembly.doorbell.listeners(queue_bell("sms")) == 0)

    assert "A worker that has sms runs now" in flat(asked.stdout)
    assert "runs now" not in insights("handlers", "retire", "sms", given="n\n").stdout


def test_what_it_owes_is_kept_for_workers_that_have_it(
    insights: Insights, assembly: Assembly
) -> None:
    predict(assembly)
    let_die(assembly, "sms")
    predict(assembly, 2)

    result = insights("handlers", "retire", "sms", "--yes")
    predict(assembly)

    assert "It owes 5 deliveries (3 of them dead), which are kept" in flat(result.stdout)
    assert "with --forget they are deleted" in flat(result.stdout)
    assert owed(assembly, "sms") == 5
    assert "sms" in names(insights)


def test_what_it_owes_is_deleted_if_asked_for(insights: Insights, assembly: Assembly) -> None:
    predict(assembly)
    insights("handlers", "retire", "sms", "--yes")

    result = insights("handlers", "retire", "sms", "--forget", "--yes")

    assert "which will be deleted" in flat(result.stdout)
    assert owed(assembly, "sms") == 0
    assert owed(assembly, "usage") == 3
    assert "sms" not in names(insights)


def test_nothing_happens_without_a_yes(insights: Insights, assembly: Assembly) -> None:
    predict(assembly)

    result = insights("handlers", "retire", "sms", "--forget", given="n\n")

    assert result.exit_code == 1
    assert owed(assembly, "sms") == 3
    assert followed(assembly, "sms") == {"prediction.made", "user.logged_in"}


def test_a_handler_that_this_code_has_is_not_retired(
    insights: Insights, assembly: Assembly
) -> None:
    before = followed(assembly, "usage")

    result = insights("handlers", "retire", "usage", "--yes")

    assert result.exit_code == 1
    assert "the next `insights migrate` would subscribe it again" in flat(result.stderr)
    assert "`insights pause usage`" in flat(result.stderr)
    assert followed(assembly, "usage") == before


def test_a_type_that_its_code_ceased_to_follow_is_retired_alone(
    insights: Insights, assembly: Assembly, user_id: UUID
) -> None:
    before = followed(assembly, "usage")
    predict(assembly)
    with assembly.engine.begin() as connection:
        login = text("SELECT publish_event('user.logged_in', '{}', :user)")
        connection.execute(login, {"user": user_id})
    assert owed(assembly, "usage") == 4

    result = insights(
        "handlers", "retire", "usage", "--event", "user.logged_in", "--forget", "--yes"
    )

    assert result.exit_code == 0
    assert followed(assembly, "usage") == before - {"user.logged_in"}
    assert owed(assembly, "usage") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "No handler is called 'nobody'. There are: activity,"),
        (["usage", "--event", "prediction.made"], "still follows prediction.made with usage"),
        (["usage", "--event", "user.updated"], "usage does not follow user.updated. It follows:"),
    ],
)
def test_what_cannot_be_retired_is_said(
    arguments: list[str], message: str, insights: Insights
) -> None:
    result = insights("handlers", "retire", *arguments, "--yes")

    assert result.exit_code == 1
    assert message in flat(result.stderr)


def test_a_handler_that_follows_nothing_and_owes_something_can_be_forgotten(
    insights: Insights, assembly: Assembly
) -> None:
    with assembly.engine.begin() as connection:
        handler_table.register(connection, ["late"])
        owe(connection, "late", uuid7())

    assert insights("handlers", "retire", "late", "--forget", "--yes").exit_code == 0
    assert owed(assembly, "late") == 0
