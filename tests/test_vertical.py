"""The main line: what is published is counted once, and followed up once."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from events import PredictionMade, UserSignedUp, uuid7
from runtime.assembly import Assembly
from tests.factories import publish_now
from tests.pipeline import Pipeline


def rows(assembly: Assembly, query: str) -> list[Any]:
    with assembly.engine.connect() as connection:
        return list(connection.execute(text(query)))


def test_a_sign_up_makes_a_profile_and_predictions_are_counted(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    user = uuid7()
    made = [PredictionMade(user_id=user, model_id="m", prediction_count=4) for _ in range(20)]
    new = publish_now(assembly, UserSignedUp(user_id=user, email="a@b.co", name="Ada"), *made)
    again = publish_now(assembly, *made)

    pipeline.work()
    pipeline.pass_time()  # usage that was handled before its profile was there waits for it
    pipeline.work()

    assert len(new) == 21
    assert again == set()
    assert pipeline.owed() == []
    counted = rows(assembly, "SELECT predictions_this_month FROM public.usage_limits")
    assert counted == [(80,)]
    warnings = rows(assembly, "SELECT data FROM insights.events WHERE type LIKE 'usage.%'")
    assert [row.data["threshold"] for row in warnings] == [80]


def test_a_bell_that_comes_twice_counts_once(
    assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    publish_now(assembly, PredictionMade(user_id=user_id, model_id="m"))

    assert "usage" in pipeline.rung()
    pipeline.answer("usage")
    pipeline.answer("usage")

    assert rows(assembly, "SELECT predictions_this_month FROM public.usage_limits") == [(1,)]
