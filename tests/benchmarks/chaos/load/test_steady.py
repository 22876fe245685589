"""The load under which throughput is measured is the same in every process, and every second."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from benchmarks.chaos.load.steady import CAPACITY_EVENTS, STEPS_PER_SECOND
from benchmarks.chaos.load.steps import SteadyPart, first_load, make_load

START = datetime(2026, 11, 26, tzinfo=UTC)
STEADY = SteadyPart(rate=70, first=10, last=40)


def test_a_seed_gives_the_same_load_in_every_process() -> None:
    once, again = (make_load(3, 10, START, STEADY).events for _ in range(2))

    assert once == again
    assert len({event.id for event in once}) == len(once)


@pytest.mark.parametrize("rate", [7, 70, 333])
def test_every_second_holds_as_many_events_of_each_type(rate: float) -> None:
    steps = make_load(3, 0, START, SteadyPart(rate, 10, 40)).steps
    # A turn of all types is 20 events: so long as it takes, no type is missing.
    span = max(1, 20 / rate)
    spans = [
        Counter(
            event.type for step in steps if first <= step.at < first + span for event in step.events
        )
        for first in (10, 20, 35)
    ]

    exact = rate / STEPS_PER_SECOND + 1  # one step more or less
    assert all(abs(each.total() - rate * span) <= exact for each in spans)
    assert all(each.keys() == spans[0].keys() for each in spans)
    assert any(step.in_sql for step in steps)


def test_what_is_published_first_belongs_to_the_same_users_and_shares_no_event() -> None:
    first = first_load(3, datetime(2026, 11, 25, tzinfo=UTC), with_backlog=True)
    load = make_load(3, 0, START, STEADY)

    later = {event.user_id for step in load.steps if step.at >= 10 for event in step.events}
    assert later - {None} <= {user.id for user in first.users}
    assert len(first.events) == CAPACITY_EVENTS + len(first.users)
    assert len((first + load).events) == len(first.events) + len(load.events)
    without = first_load(3, START, with_backlog=False)
    assert [event.type for event in without.events] == ["user.signed_up"] * len(first.users)
