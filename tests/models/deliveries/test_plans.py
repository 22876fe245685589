"""Each statement reads what it names and no more, whatever the planner's statistics say.

Deliveries come and go faster than PostgreSQL counts them: a plan that was chosen for an empty table
meets hundreds of thousands of rows. All is done in one transaction, so that nothing counts them.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, TextClause, text

from models import arrays
from models.batches import open_batch
from models.deliveries.claim import CLAIM, FINISH
from models.deliveries.dependencies import LOCK_WAITING, RELEASE, SWEEP
from models.deliveries.failures import (
    DEFER,
    FIRST_BACK_OFF,
    FIRST_SETBACK,
    GIVE_BACK,
    LONGEST_BACK_OFF,
    RECORD,
    Failure,
    failure_columns,
)
from models.deliveries.lease import HOLDS, RENEW, Lease, columns
from models.deliveries.look import LOOK
from models.deliveries.take import TAKE
from runtime.assembly import Assembly
from tests.models.plans import buffers, explain, scans

HOUR = timedelta(hours=1)
EACH = 100_000  # deliveries of each of three handlers
# Per row that a statement names: its way through the primary key, itself, and its new version in
# up to four indexes. Of all else, as the rows of handlers, a statement may read as much as this.
PER_ROW, ELSE = 25, 150
COUNT = "ANALYZE insights.deliveries, insights.events, insights.batches"
PUBLISHED = """
    INSERT INTO insights.events (id, type, source) SELECT gen_random_uuid(), 'prediction.made', 'x'
    FROM generate_series(1, {each})
"""
# `usage` owes at once, `activity` has half of it claimed and half due again, `cache` waits.
OWED = """
    INSERT INTO insights.deliveries (handler, event_id, due_at, leased, leases, setbacks, waits_for)
    SELECT h.id, e.id,
           CASE WHEN h.name = 'activity' THEN now() + e.sign * interval '1 minute' END,
           h.name = 'activity' AND e.sign > 0, 1, 0,
           CASE WHEN h.name = 'cache' THEN
               ARRAY(SELECT u.id FROM insights.handlers u WHERE u.name = 'usage') END
    FROM (SELECT id, sign(random() - 0.5) FROM insights.events) e
    CROSS JOIN insights.handlers h WHERE h.name IN ('usage', 'activity', 'cache')
    ORDER BY random()
"""


@pytest.fixture(scope="module", params=["of empty tables", "of now"])
def many(shared: Assembly, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A transaction in which much is owed; its statements are planned with statistics of then."""
    with shared.engine.connect() as connection:
        connection.exec_driver_sql("TRUNCATE insights.deliveries, insights.events")
        connection.exec_driver_sql(COUNT)
        # As a replica, the session fires no triggers.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(PUBLISHED.format(each=EACH))
        connection.exec_driver_sql(OWED)
        if request.param == "of now":
            connection.exec_driver_sql(COUNT)
        yield connection
        connection.rollback()


@pytest.fixture
def planned(many: Connection) -> Iterator[Connection]:
    """The same for one test; what it changes is undone."""
    with many.begin_nested() as undone:
        yield many
        undone.rollback()


def some(connection: Connection, handler: str, count: int, *, leased: bool) -> list[UUID]:
    """Events that a handler owes."""
    query = text("""
        SELECT d.event_id FROM insights.deliveries d JOIN insights.handlers h ON h.id = d.handler
        WHERE h.name = :handler AND d.leased = :leased ORDER BY random() LIMIT :count
    """)
    given = {"handler": handler, "count": count, "leased": leased}
    return list(connection.scalars(query, given))


def id_of(connection: Connection, handler: str) -> int:
    query = text("SELECT id FROM insights.handlers WHERE name = :name")
    return int(connection.scalar(query, {"name": handler}) or 0)


def whole_scans(plan: dict[str, Any]) -> set[tuple[str, str]]:
    """Scans of a whole table of which much is stored."""
    large = {"deliveries", "events", "event_bodies"}
    return {(node, table) for node, table in scans(plan) if node == "Seq Scan" and table in large}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def check(plan: dict[str, Any], rows: int) -> None:
    assert whole_scans(plan) == set()
    assert buffers(plan) <= ELSE + PER_ROW * rows


ONE_AND_MANY = pytest.mark.parametrize("rows", [1, 500])


@ONE_AND_MANY
@pytest.mark.parametrize("handler", ["usage", "activity"], ids=["at once", "later"])
@pytest.mark.parametrize("statement", [TAKE, CLAIM], ids=["take", "claim"])
def test_taking_and_claiming_walk_the_index_of_what_is_due(
    statement: TextClause, handler: str, rows: int, planned: Connection
) -> None:
    given = {"handler": handler, "batch": rows, "calm": False, "lease": HOUR}

    plan = explain(planned, statement, given)

    check(plan, rows)
    walked = {node["Index Name"] for node in nodes(plan) if "Index Name" in node}
    assert {"deliveries_due", "deliveries_due_later"} <= walked
    assert not [node for node in nodes(plan) if node["Node Type"] == "Bitmap Heap Scan"
                and node["Relation Name"] == "deliveries"]  # fmt: skip


@pytest.mark.parametrize("bound", [1, 500])
def test_a_look_reads_no_more_than_its_bound(bound: int, planned: Connection) -> None:
    names = ["usage", "activity", "cache"]

    plan = explain(planned, LOOK, {"names": names, "bounds": [bound] * 3})

    assert whole_scans(plan) == set()
    assert buffers(plan) <= ELSE + 2 * bound * len(names)


def given_of(ids: Sequence[UUID], handler: str) -> dict[str, Any]:
    """Whatever the statements that name deliveries are given."""
    leases = [Lease(id_, 1) for id_ in ids]
    return {
        "handler": handler,
        "max_attempts": 9,
        "first": FIRST_SETBACK,
        "longest": LONGEST_BACK_OFF,
        "error": "It failed.",
        "setback": True,
        "charge": True,
    } | columns(leases)


@ONE_AND_MANY
@pytest.mark.parametrize("statement", [FINISH, DEFER], ids=["finish", "defer"])
def test_what_is_named_by_its_lease_is_found_by_its_key(
    statement: TextClause, rows: int, planned: Connection
) -> None:
    ids = some(planned, "activity", rows, leased=True)

    plan = explain(planned, statement, given_of(ids, "activity"))

    check(plan, rows)
    assert plan["Actual Rows"] == rows


@ONE_AND_MANY
def test_failures_are_written_by_key(rows: int, planned: Connection) -> None:
    ids = some(planned, "activity", rows, leased=True)
    failed = [Failure(Lease(id_, 1), "no") for id_ in ids]
    given = failure_columns(failed) | {"handler": "activity", "max_attempts": 9}

    plan = explain(planned, RECORD, given)

    check(plan, rows)
    assert plan["Actual Rows"] == rows


@ONE_AND_MANY
def test_what_is_given_back_is_found_by_key(rows: int, planned: Connection) -> None:
    ids = some(planned, "activity", rows, leased=True)
    given = given_of(ids, "activity") | {"handler": id_of(planned, "activity")}

    pauses = {"first": FIRST_BACK_OFF, "first_setback": FIRST_SETBACK}

    plan = explain(planned, GIVE_BACK, given | pauses)

    check(plan, rows)
    assert plan["Actual Rows"] == rows


def test_whether_a_lease_holds_is_found_by_key(planned: Connection) -> None:
    (id_,) = some(planned, "activity", 1, leased=True)

    check(explain(planned, HOLDS, {"handler": "activity", "id": id_, "token": 1}), 1)


@ONE_AND_MANY
def test_leases_are_renewed_by_key(rows: int, planned: Connection) -> None:
    ids = some(planned, "activity", rows, leased=True)
    process, handler_id = uuid4(), id_of(planned, "activity")
    open_batch(planned, process, handler_id, ids, lease=HOUR, longest=HOUR)

    plan = explain(planned, RENEW, {"process": process})

    check(plan, rows)


@ONE_AND_MANY
def test_what_waits_is_locked_and_released_by_key(rows: int, planned: Connection) -> None:
    ids = some(planned, "cache", rows, leased=False)
    waiting = {
        "waiting": arrays.plain([id_of(planned, "cache")] * rows),
        "ids": arrays.uuids(ids),
        "handler": "usage",
    }

    locked = explain(planned, LOCK_WAITING, waiting)
    released = explain(planned, RELEASE, waiting)

    check(locked, rows)
    check(released, rows)
    assert (locked["Actual Rows"], released["Actual Rows"]) == (rows, rows)


@ONE_AND_MANY
def test_a_sweep_reads_its_step(rows: int, planned: Connection) -> None:
    check(explain(planned, SWEEP, {"after": -1, "most": rows}), rows)
