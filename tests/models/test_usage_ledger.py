"""Old lines of the ledger become sums, from which counters, marks and late events go on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from events import DatasetDeleted, Event, PruneDue, uuid7
from models import usage_ledger
from runtime.assembly import Assembly
from tests.factories import dataset_uploaded, owe, prediction_made, publish_now, training_started
from tests.handlers.expected_usage import Usage, stored
from tests.models.plans import buffers, explain, scans
from tests.pipeline import Pipeline

MONTHS = 25
AGE = timedelta(days=90)
LONG_AGO = datetime(2021, 3, 14, tzinfo=UTC)
INCREMENT = text("SELECT public.increment_usage(:user, 'datasets', :amount)")
LINES = text("""
    SELECT month, resource, amount, is_sum FROM insights.usage_ledger
    WHERE user_id = :user ORDER BY month, resource, is_sum, amount
""")
TOTALS = text("""
    SELECT month, resource, sum(amount)::int, sum(unnamed)::int FROM insights.usage_ledger
    WHERE user_id = :user GROUP BY 1, 2 ORDER BY 1, 2
""")
FORGET_EVENTS = text("DELETE FROM insights.events WHERE type NOT LIKE 'usage.%'")
LINES_OF = text("""
    INSERT INTO insights.usage_ledger (event_id, user_id, resource, amount, month)
    SELECT gen_random_uuid(), gen_random_uuid(), 'trainings', 1, :month
    FROM generate_series(1, :many)
""")
EVENTS_OF_LINES = text("""
    INSERT INTO insights.events (id, type, source)
    SELECT event_id, 'training.started', 'sql'
    FROM (SELECT event_id, row_number() OVER (ORDER BY month) AS n FROM insights.usage_ledger) l
    WHERE mod(n, 2) = 0
""")


def count(pipeline: Pipeline, *events: Event) -> None:
    publish_now(pipeline.assembly, *events)
    pipeline.work()


def sum_up(assembly: Assembly, months: int = MONTHS, age: timedelta = AGE) -> int:
    with assembly.sessions.begin() as session:
        return usage_ledger.sum_old_lines(session, months, age)


def history(user: UUID) -> list[Event]:
    """Of a month long ago: 7 predictions, 2 trainings, 2 data sets that came and one that went."""
    return [
        prediction_made(user, 3, LONG_AGO),
        prediction_made(user, 4, LONG_AGO),
        training_started(user, LONG_AGO),
        training_started(user, LONG_AGO),
        dataset_uploaded(user, LONG_AGO, "a"),
        dataset_uploaded(user, LONG_AGO, "b"),
        DatasetDeleted(user_id=user, occurred_at=LONG_AGO + timedelta(hours=1), dataset_id="b"),
    ]


def test_old_lines_become_one_per_user_month_and_resource(
    assembly: Assembly, pipeline: Pipeline, connection: Connection, user_id: UUID
) -> None:
    now = datetime.now(UTC)
    count(pipeline, *history(user_id), prediction_made(user_id, 5, now))
    before = connection.execute(TOTALS, {"user": user_id}).all()
    connection.execute(FORGET_EVENTS)

    assert sum_up(assembly) == 7

    assert [tuple(line) for line in connection.execute(LINES, {"user": user_id})] == [
        ("2021-03", "datasets", 1, True),
        ("2021-03", "predictions", 7, True),
        ("2021-03", "trainings", 2, True),
        (f"{now:%Y-%m}", "predictions", 5, False),
    ]
    assert connection.execute(TOTALS, {"user": user_id}).all() == before
    assert sum_up(assembly) == 0


def test_lines_are_summed_some_at_a_time(
    assembly: Assembly,
    pipeline: Pipeline,
    connection: Connection,
    user_id: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage_ledger, "SUMMED_AT_ONCE", 3)
    count(pipeline, *(prediction_made(user_id, 2, LONG_AGO) for _ in range(7)))
    connection.execute(FORGET_EVENTS)

    assert [sum_up(assembly) for _ in range(4)] == [3, 3, 1, 0]

    assert [tuple(line) for line in connection.execute(LINES, {"user": user_id})] == [
        ("2021-03", "predictions", 14, True)
    ]


@pytest.mark.parametrize(("back", "is_kept"), [(25, True), (26, False)])
def test_lines_of_so_many_months_before_the_running_one_are_kept(
    assembly: Assembly, connection: Connection, user_id: UUID, back: int, is_kept: bool
) -> None:
    month = connection.scalar(
        text("SELECT to_char(now() AT TIME ZONE 'UTC' - :n * interval '1 month', 'YYYY-MM')"),
        {"n": back},
    )
    connection.execute(
        text("INSERT INTO insights.usage_ledger VALUES (:id, :user, 'trainings', 1, :month)"),
        {"id": uuid7(), "user": user_id, "month": month},
    )

    assert sum_up(assembly) == (not is_kept)


def test_a_line_stays_while_its_event_is_stored_so_that_a_repetition_counts_nothing(
    assembly: Assembly, pipeline: Pipeline, connection: Connection, user_id: UUID
) -> None:
    event = prediction_made(user_id, 3, LONG_AGO)
    count(pipeline, event)

    assert sum_up(assembly) == 0
    owe(connection, "usage", event.id)
    pipeline.work()

    assert [tuple(line) for line in connection.execute(LINES, {"user": user_id})] == [
        ("2021-03", "predictions", 3, False)
    ]


def test_lines_are_kept_as_long_as_events_may_be(
    assembly: Assembly, pipeline: Pipeline, connection: Connection, user_id: UUID
) -> None:
    """RETENTION_DAYS may be longer than STATEMENT_MONTHS."""
    count(pipeline, prediction_made(user_id, 3, LONG_AGO))
    connection.execute(FORGET_EVENTS)

    assert sum_up(assembly, age=timedelta(days=36_500)) == 0


def test_a_late_event_of_a_summed_month_counts_once_and_passes_its_marks(
    assembly: Assembly, pipeline: Pipeline, connection: Connection, user_id: UUID
) -> None:
    now = datetime.now(UTC)
    count(pipeline, prediction_made(user_id, 79, LONG_AGO), prediction_made(user_id, 1, now))
    connection.execute(FORGET_EVENTS)
    sum_up(assembly)

    late = prediction_made(user_id, 1, LONG_AGO)
    for _ in range(2):
        count(pipeline, late)
    assert {mark[2:] for mark in stored(assembly, [user_id]).marks} == {("2021-03", 100, "80")}

    connection.execute(FORGET_EVENTS)
    assert sum_up(assembly) == 1
    assert [tuple(line) for line in connection.execute(LINES, {"user": user_id})] == [
        ("2021-03", "predictions", 80, True),
        (f"{now:%Y-%m}", "predictions", 1, False),
    ]


def test_a_repetition_counts_again_once_both_event_and_line_are_gone(
    assembly: Assembly, pipeline: Pipeline, connection: Connection, user_id: UUID
) -> None:
    """The limit of what can be known, as docs/operating.md says; data sets know their ids."""
    event, dataset = prediction_made(user_id, 3, LONG_AGO), dataset_uploaded(user_id, LONG_AGO)
    count(pipeline, event, dataset)
    connection.execute(FORGET_EVENTS)
    sum_up(assembly)

    count(pipeline, event, dataset)

    assert stored(assembly, [user_id]).rows == {(user_id, 1, 0, 6, "2021-03")}


def test_a_profile_that_is_made_again_goes_on_from_sums(
    assembly: Assembly, pipeline: Pipeline, connection: Connection, user_id: UUID
) -> None:
    count(pipeline, *history(user_id))
    connection.execute(INCREMENT, {"user": user_id, "amount": 2})
    connection.execute(FORGET_EVENTS)
    sum_up(assembly)
    connection.execute(text("DELETE FROM public.profiles"))
    connection.execute(text("INSERT INTO public.profiles (id) VALUES (:u)"), {"u": user_id})

    count(pipeline, prediction_made(user_id, 1, datetime.now(UTC)))

    usage: Usage = stored(assembly, [user_id])
    assert {row[1:4] for row in usage.rows} == {(3, 0, 1)}


def test_the_prune_job_sums_lines_too(
    assembly: Assembly, pipeline: Pipeline, connection: Connection, user_id: UUID
) -> None:
    count(pipeline, *history(user_id))
    connection.execute(FORGET_EVENTS)

    count(pipeline, PruneDue(days=90))
    assert {line.is_sum for line in connection.execute(LINES, {"user": user_id})} == {False}
    count(pipeline, PruneDue(days=90, statement_months=MONTHS))

    assert {line.is_sum for line in connection.execute(LINES, {"user": user_id})} == {True}


def test_no_table_is_read_whole_to_find_few_old_lines(
    assembly: Assembly, connection: Connection
) -> None:
    """With statistics of before: 20 of 40,020 lines are old, and half of the events are gone."""
    connection.exec_driver_sql("TRUNCATE insights.usage_ledger, insights.events")
    connection.exec_driver_sql("ANALYZE insights.usage_ledger, insights.events")
    for many, month in ((40_000, f"{datetime.now(UTC):%Y-%m}"), (20, "2021-03")):
        connection.execute(LINES_OF, {"many": many, "month": month})
    connection.exec_driver_sql("SET session_replication_role = replica")
    connection.execute(EVENTS_OF_LINES)
    connection.exec_driver_sql("RESET session_replication_role")

    plan = explain(
        connection, usage_ledger.SUM_OLD_LINES, {"months": MONTHS, "age": AGE, "at_most": 10_000}
    )

    tables = {("Seq Scan", "usage_ledger"), ("Seq Scan", "events")}
    assert not tables & set(scans(plan))
    assert buffers(plan) < 20 * 30
    assert connection.scalar(text("SELECT count(*) FROM insights.usage_ledger WHERE is_sum")) == 10
