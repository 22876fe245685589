"""Events without a time, published where the clock is wrong: the database's clock counts."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from events import UserLoggedIn, uuid7
from runtime.assembly import Assembly
from tests.factories import prediction_made, publish_now


@pytest.fixture
def wrong_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Put the clock of this machine ahead, or back."""

    def put(by: timedelta) -> None:
        clock = SimpleNamespace(now=lambda zone: datetime.now(zone) + by)
        monkeypatch.setattr("events.event.datetime", clock)

    return put


def occurred_before_now(assembly: Assembly) -> list[timedelta]:
    """How long before the database's now events occurred, the latest first."""
    asked = text("SELECT now() - occurred_at AS ago FROM insights.events ORDER BY ago")
    with assembly.engine.begin() as connection:
        return list(connection.scalars(asked))


@pytest.mark.parametrize("by", [timedelta(days=20), timedelta(minutes=5), timedelta(days=-20)])
def test_what_is_published_without_a_time_occurred_by_the_clock_of_the_database(
    assembly: Assembly, wrong_clock: Callable[[timedelta], None], by: timedelta
) -> None:
    wrong_clock(by)
    first, second = UserLoggedIn(user_id=uuid7()), UserLoggedIn(user_id=uuid7())

    publish_now(assembly, second, first)

    later, earlier = occurred_before_now(assembly)
    assert timedelta(0) <= later < timedelta(seconds=10)
    assert earlier - later == second.occurred_at - first.occurred_at


def test_a_time_that_was_given_stays_whatever_the_clock_of_its_publisher(
    assembly: Assembly, wrong_clock: Callable[[timedelta], None]
) -> None:
    at = datetime.now(UTC) - timedelta(hours=2)
    wrong_clock(timedelta(days=20))

    publish_now(assembly, prediction_made(uuid7(), at=at))

    assert occurred_before_now(assembly)[0] > timedelta(hours=1.99)


def test_a_clock_that_went_back_meanwhile_puts_nothing_ahead(
    assembly: Assembly, wrong_clock: Callable[[timedelta], None]
) -> None:
    event = UserLoggedIn(user_id=uuid7())
    wrong_clock(timedelta(hours=-3))

    publish_now(assembly, event)

    assert occurred_before_now(assembly)[0] >= timedelta(0)
