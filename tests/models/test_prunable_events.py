"""Old events are pruned when no handler owes anything for them, at the cost of what is looked at.

The buffers are counted by PostgreSQL itself, on a table whose pages were used again: old and new
events stand side by side in all of them.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from events import AnalyticsChoiceMade, Event, uuid7
from models import prunable_events
from models.prunable_events import PRUNE, START, Place, prune
from runtime.assembly import Assembly
from tests.factories import owe, predictions_made, publish_now
from tests.models.plans import buffers, explain, scans

AGE = timedelta(days=90)
EVENTS = 60_000
CHUNK = 50
# Per event of a chunk: its row and its place in two indexes, of three levels each, twice; and per
# handler what it owes.
BUFFERS_PER_EVENT, BUFFERS_PER_HANDLER = 14, 4

AGED = text(
    "UPDATE insights.events SET recorded_at = now() - interval '91 days' WHERE id = ANY(:ids)"
)
DONE = text("DELETE FROM insights.deliveries WHERE event_id = ANY(:ids)")
LEFT = text("SELECT id FROM insights.events")
COUNT = text("SELECT count(*) FROM insights.events")
# Every tenth event is old; what they hold makes a page hold some twenty of them.
MIXED = """
    INSERT INTO insights.events (id, type, source, user_id, data, recorded_at)
    SELECT gen_random_uuid(), 'prediction.made', 'sql', gen_random_uuid(),
           jsonb_build_object('model_id', repeat('m', 250)),
           now() - CASE WHEN mod(n, 10) = 0 THEN interval '100 days' + n * interval '1 second'
                        ELSE interval '1 day' END
    FROM generate_series(1, {events}) n
"""
# The oldest of them stay: a handler owes them.
OWED = """
    INSERT INTO insights.deliveries (handler, event_id)
    SELECT h.id, e.id FROM insights.events e JOIN insights.handlers h ON h.name = 'usage'
    ORDER BY e.recorded_at LIMIT 1000
"""
BACKLOG = """
    INSERT INTO insights.deliveries (handler, event_id)
    SELECT h.id, gen_random_uuid()
    FROM insights.handlers h CROSS JOIN generate_series(1, 60000) WHERE h.name = 'activity'
"""


def make_old(connection: Connection, *old: Event) -> None:
    connection.execute(AGED, {"ids": [event.id for event in old]})


def owed_by_nobody(connection: Connection, *done: Event) -> None:
    connection.execute(DONE, {"ids": [event.id for event in done]})


def prune_all(assembly: Assembly) -> Iterator[int]:
    """Chunk after chunk; yields how many each deleted."""
    place: Place | None = START
    while place is not None:
        with assembly.sessions.begin() as session:
            deleted, place = prune(session, AGE, place)
        yield deleted


def test_as_many_events_are_pruned_as_were_counted_and_no_others(
    assembly: Assembly, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prunable_events, "AT_ONCE", 2)
    *prunable, owed, young = predictions_made(7)
    kept = AnalyticsChoiceMade(user_id=uuid7(), opted_out=True)
    publish_now(assembly, *prunable, owed, young, kept)
    make_old(connection, *prunable, owed, kept)
    owed_by_nobody(connection, *prunable, young, kept)

    counted = prunable_events.count_prunable(connection, AGE)
    pruned = list(prune_all(assembly))

    # Seven old events of one moment were looked at, two at a time.
    assert (len(pruned), counted, sum(pruned)) == (4, 5, 5)
    assert set(connection.scalars(LEFT)) == {owed.id, young.id, kept.id}


def test_what_only_an_unknown_handler_owes_is_pruned(
    assembly: Assembly, connection: Connection
) -> None:
    (event,) = predictions_made()
    publish_now(assembly, event)
    make_old(connection, event)
    owed_by_nobody(connection, event)
    owe(connection, "usage", event.id)
    assert prunable_events.count_prunable(connection, AGE) == 0

    connection.execute(text("UPDATE insights.deliveries SET handler = 32000"))

    assert prunable_events.count_prunable(connection, AGE) == 1
    assert list(prune_all(assembly)) == [1]


def test_a_place_is_read_back_from_its_text() -> None:
    assert Place.parse(str(START)) == START
    with pytest.raises(ValueError, match="not enough values"):
        Place.parse("somewhere")


@pytest.fixture
def reused_pages(connection: Connection) -> Connection:
    """Old and new events in all pages, most of the old ones owed; statistics are of before."""
    connection.exec_driver_sql("ANALYZE insights.events, insights.deliveries")
    # As a replica, the session fires no triggers: nothing is owed yet.
    connection.exec_driver_sql("SET session_replication_role = replica")
    connection.exec_driver_sql(MIXED.format(events=EVENTS))
    connection.exec_driver_sql("RESET session_replication_role")
    connection.exec_driver_sql(OWED)
    connection.exec_driver_sql(BACKLOG)
    return connection


def plan_of(connection: Connection, place: Place) -> dict[str, Any]:
    """Run one chunk, and return what PostgreSQL says of it."""
    given = {
        "age": AGE,
        "at_most": CHUNK,
        "after": place.recorded_at,
        "after_id": place.id,
    }
    return explain(connection, PRUNE, given)


def place_after(connection: Connection, events: int) -> Place:
    row = connection.execute(
        text("SELECT recorded_at, id FROM insights.events ORDER BY 1, 2 OFFSET :n LIMIT 1"),
        {"n": events - 1},
    ).one()
    return Place(row[0], UUID(str(row[1])))


@pytest.mark.parametrize("passed", [0, 975, 3000])
def test_a_chunk_reads_what_it_looks_at_and_not_the_table(
    reused_pages: Connection, passed: int
) -> None:
    place = place_after(reused_pages, passed) if passed else START

    plan = plan_of(reused_pages, place)

    assert not {("Seq Scan", "events"), ("Seq Scan", "deliveries")} & set(scans(plan))
    handlers = reused_pages.scalar(text("SELECT count(*) FROM insights.handlers"))
    assert buffers(plan) <= CHUNK * (BUFFERS_PER_EVENT + BUFFERS_PER_HANDLER * int(handlers or 0))
    deleted = min(CHUNK, max(0, passed + CHUNK - 1000))
    assert reused_pages.scalar(COUNT) == EVENTS - deleted
