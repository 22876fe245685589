"""The load of a run holds what is hard, and is the same for the same seed."""

from datetime import UTC, datetime

from benchmarks.chaos.expected.usage import ledger_entries
from benchmarks.chaos.load.steps import make_load

SECONDS = 8


def test_a_load_holds_what_is_hard() -> None:
    load = make_load(7, SECONDS, datetime.now(UTC))
    months = {entry.month for entry in ledger_entries(load.events)}

    assert len(months) == 2
    assert any(step.in_sql for step in load.steps)
    assert sum(len(step.events) for step in load.steps) > len(load.events)


def test_the_same_seed_gives_the_same_load() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)

    assert make_load(7, SECONDS, start) == make_load(7, SECONDS, start)
    assert make_load(7, SECONDS, datetime.now(UTC)).users == make_load(7, SECONDS, start).users
    assert make_load(8, SECONDS, start).users != make_load(7, SECONDS, start).users
