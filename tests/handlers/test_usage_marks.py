"""Marks of a limit are published once per user, resource, month and limit."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from events import named_id
from runtime.assembly import Assembly
from tests.factories import prediction_made, publish_now, sign_up, training_started
from tests.handlers.expected_usage import stored
from tests.pipeline import Pipeline

LONG_AGO = datetime(2025, 3, 14, tzinfo=UTC)


def test_unlimited_plans_are_never_marked(assembly: Assembly, usage_pipeline: Pipeline) -> None:
    user = sign_up(assembly, "enterprise")
    publish_now(assembly, prediction_made(user, 1_000_000), training_started(user, LONG_AGO))
    usage_pipeline.work()

    usage = stored(assembly, [user])
    assert (usage.marks, usage.published) == (set(), set())
    assert len(usage.ledger) == 2


def test_the_events_of_marks_are_named_and_say_how_much_is_used(
    assembly: Assembly, usage_pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly, *(training_started(user_id, LONG_AGO) for _ in range(8)))
    usage_pipeline.work()

    with assembly.engine.connect() as connection:
        published = connection.execute(
            text("SELECT id, type, user_id, data FROM insights.events WHERE type LIKE 'usage.%'")
        ).one()
    assert tuple(published) == (
        named_id("usage", user_id, "trainings", "2025-03", 10, "80"),
        "usage.threshold_reached",
        user_id,
        {
            "resource": "trainings",
            "month": "2025-03",
            "current": 8,
            "limit": 10,
            "threshold": 80,
        },
    )


def change_plan(assembly: Assembly, user: UUID, plan: str) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE public.profiles SET plan = :plan WHERE id = :user"),
            {"plan": plan, "user": user},
        )


def test_a_user_who_changes_to_another_plan_is_warned_of_its_limit_too(
    assembly: Assembly, usage_pipeline: Pipeline, user_id: UUID
) -> None:
    for plan, count in (("free", 85), ("pro", 4000), ("free", 1), ("pro", 1)):
        change_plan(assembly, user_id, plan)
        publish_now(assembly, prediction_made(user_id, count, LONG_AGO))
        usage_pipeline.work()

    usage = stored(assembly, [user_id])
    assert usage.marks == {
        (user_id, "predictions", "2025-03", limit, mark)
        for limit, mark in ((100, "80"), (5000, "80"), (100, "100"), (100, "exceeded"))
    }
    assert {id_ for id_, *_ in usage.published} == {
        named_id("usage", *mark) for mark in usage.marks
    }


def test_an_older_release_leaves_the_marks_of_a_second_limit_to_a_newer_one(
    assembly: Assembly, usage_pipeline: Pipeline, user_id: UUID
) -> None:
    """The ids of its events do not name the limit, so it would publish nothing for them."""
    publish_now(assembly, prediction_made(user_id, 80, LONG_AGO))
    usage_pipeline.work()
    change_plan(assembly, user_id, "pro")
    reached = text("""
        SELECT count(*) FROM insights.mark_usage(ARRAY[CAST(ROW(
            CAST(:user AS uuid), 'predictions', '2025-03', 4000) AS insights.usage_total)])
    """)

    with assembly.engine.begin() as connection:
        assert connection.scalar(reached, {"user": user_id}) == 0
    publish_now(assembly, prediction_made(user_id, 3920, LONG_AGO))
    usage_pipeline.work()

    assert {(limit, mark) for *_, limit, mark in stored(assembly, [user_id]).marks} == {
        (100, "80"),
        (5000, "80"),
    }
