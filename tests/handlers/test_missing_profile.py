"""An event whose user is not there yet: how old it is, the database's clock decides alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import handlers
from events import PredictionMade, uuid7
from handlers.missing_profile import no_profile
from handlers.outcomes import Failed, RetryLater

NOON = datetime(2020, 2, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "outcome"),
    [(0, RetryLater), (59, RetryLater), (61, Failed), (-59, RetryLater), (-61, Failed)],
)
def test_a_sign_up_may_come_within_a_minute(age: int, outcome: type) -> None:
    event = PredictionMade(user_id=uuid7(), model_id="m", occurred_at=NOON)

    assert isinstance(no_profile(event, NOON + timedelta(seconds=age)), outcome)


def test_no_handler_reads_the_clock_of_its_process() -> None:
    """It may be days ahead; `database_time` is what decides."""
    folder = Path(handlers.__file__).parent
    reads = {
        path.name
        for path in folder.rglob("*.py")
        if any(clock in path.read_text() for clock in ("datetime.now(", "time.time("))
    }

    assert reads == set()
