"""A run without faults has no findings, and every way in which it could be wrong is found."""

from dataclasses import replace

import pytest

from benchmarks.chaos.compare import compare
from tests.benchmarks.chaos.finished_run import FinishedRun


def test_a_run_without_faults_has_no_findings(finished_run: FinishedRun) -> None:
    observed = finished_run.observe()

    assert compare(finished_run.expected, observed) == []
    assert len(observed.marks) > 5
    assert len(finished_run.expected.dead) > 0
    assert len(finished_run.expected.progress) > 10


ONE_ENTRY = "(SELECT event_id FROM insights.usage_ledger LIMIT 1)"
AGAIN = """
    INSERT INTO insights.events (id, type, source, data, causation_id)
    SELECT gen_random_uuid(), type, source, data, causation_id FROM insights.events
    WHERE type = 'chaos.{}' LIMIT 1
"""
OWED = """
    INSERT INTO insights.deliveries (handler, event_id, died_at)
    SELECT id, {}, {} FROM insights.handlers WHERE name = 'usage'
"""

CHANGES = {
    f"DELETE FROM insights.events WHERE id = {ONE_ENTRY}": {"lost event", "duplicated analytics"},
    "DELETE FROM insights.events WHERE type LIKE 'usage.%'": {
        "lost limit event",
        "duplicated analytics",
    },
    AGAIN.format("work_done"): {"duplicated follow-up", "lost row", "lost still owed"},
    AGAIN.format("given_up"): {"duplicated dead-letter event", "lost row", "lost still owed"},
    f"DELETE FROM insights.usage_ledger WHERE event_id = {ONE_ENTRY}": {"lost ledger"},
    "UPDATE insights.usage_ledger SET month = '2020-01'": {"lost ledger", "duplicated ledger"},
    "UPDATE usage_limits SET datasets_count = datasets_count - 1": {"lost counters"},
    "UPDATE usage_limits SET trainings_this_month = 99": {"duplicated counters"},
    "DELETE FROM insights.usage_marks WHERE mark = '80'": {"lost mark"},
    f"INSERT INTO insights.usage_marks VALUES ({ONE_ENTRY}, 'x', 'y', '80')": {"duplicated mark"},
    "UPDATE profiles SET name = 'Old'": {"lost profile"},
    f"INSERT INTO profiles (id) VALUES ({ONE_ENTRY})": {"duplicated profile"},
    "DELETE FROM chaos.rows WHERE ctid = (SELECT min(ctid) FROM chaos.rows)": {
        "lost row",
        "duplicated tally",
    },
    "INSERT INTO chaos.rows SELECT event_id FROM chaos.rows LIMIT 1": {
        "duplicated row",
        "lost tally",
    },
    "INSERT INTO chaos.rows SELECT event_id FROM insights.deliveries": {
        "duplicated row",
        "lost tally",
    },
    "UPDATE chaos.tally SET rows = rows - 1": {"lost tally"},
    "UPDATE chaos.tally SET rows = rows + 1": {"duplicated tally"},
    "DELETE FROM chaos.notes": {"lost note"},
    "INSERT INTO chaos.notes SELECT event_id FROM chaos.notes": {"duplicated note"},
    "DELETE FROM chaos.next_notes": {"lost note of the next release"},
    "INSERT INTO chaos.next_notes SELECT event_id FROM chaos.notes": {
        "duplicated note of the next release"
    },
    "DELETE FROM insights.deliveries": {"lost dead letter"},
    OWED.format(ONE_ENTRY, "NULL"): {"lost still owed"},
    OWED.format(ONE_ENTRY, "now()"): {"dead usage"},
}


@pytest.mark.parametrize(("change", "found"), CHANGES.items())
def test_what_is_wrong_in_the_database_is_found(
    finished_run: FinishedRun, change: str, found: set[str]
) -> None:
    assert finished_run.defects(finished_run.observe(change)) == found


def test_progress_that_was_not_shown_or_shown_after_a_newer_state_is_found(
    finished_run: FinishedRun,
) -> None:
    observed = finished_run.observe()
    progress = observed.progress
    id_, last = next(iter(finished_run.expected.progress.items()))

    unseen = replace(progress, shown={**progress.shown, id_: progress.shown[id_] - {last}})
    stale = replace(progress, stale=[last])
    outdated = replace(progress, replayed={**progress.replayed, id_: last._replace(progress=1.0)})

    assert finished_run.defects(replace(observed, progress=unseen)) == {"lost progress"}
    assert finished_run.defects(replace(observed, progress=stale)) == {"lost progress"}
    assert finished_run.defects(replace(observed, progress=outdated)) == {"lost replayed progress"}
