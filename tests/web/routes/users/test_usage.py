"""`GET /users/{id}/usage`."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from events import DatasetUploaded, PredictionMade, uuid7
from runtime.assembly import Assembly
from tests.factories import publish_now, sign_up
from tests.pipeline import Pipeline


def usage(client: TestClient, user_id: UUID) -> dict[str, Any]:
    body = client.get(f"/users/{user_id}/usage").json()
    return {each.pop("resource"): each for each in body["resources"]}


def test_what_was_used_and_what_is_left_are_shown(
    client: TestClient, assembly: Assembly, pipeline: Pipeline, user_id: UUID
) -> None:
    fields = {"filename": "f", "size_mb": 1, "row_count": 1, "column_count": 1}
    datasets = [
        DatasetUploaded(user_id=user_id, dataset_id=f"d-{n}", **fields)  # type: ignore[arg-type]
        for n in range(5)
    ]
    publish_now(
        assembly, *datasets, PredictionMade(user_id=user_id, model_id="m", prediction_count=30)
    )
    pipeline.work()

    assert usage(client, user_id) == {
        "datasets": {"used": 5, "limit": 5, "remaining": 0, "allowed": False},
        "trainings": {"used": 0, "limit": 10, "remaining": 10, "allowed": True},
        "predictions": {"used": 30, "limit": 100, "remaining": 70, "allowed": True},
    }


def test_unlimited_is_null(client: TestClient, assembly: Assembly) -> None:
    pro = usage(client, sign_up(assembly, "pro"))

    assert pro["datasets"] == {"used": 0, "limit": None, "remaining": None, "allowed": True}
    assert pro["trainings"]["limit"] == 100


def test_an_unknown_user_is_one_on_the_free_plan_who_used_nothing(client: TestClient) -> None:
    user_id = uuid7()

    body = client.get(f"/users/{user_id}/usage").json()

    assert (body["user_id"], body["plan"]) == (str(user_id), "free")
    assert [each["used"] for each in body["resources"]] == [0, 0, 0]


def test_the_month_is_that_of_the_database_in_utc(client: TestClient, assembly: Assembly) -> None:
    with assembly.engine.connect() as connection:
        month = connection.scalar(text("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')"))

    assert client.get(f"/users/{uuid7()}/usage").json()["month"] == month


def test_a_plan_that_we_do_not_know_has_no_limits_that_we_know(
    client: TestClient, assembly: Assembly, user_id: UUID
) -> None:
    constraint = "ALTER TABLE public.profiles {} CONSTRAINT profiles_plan_is_known {}"
    known = "CHECK (plan IN ('free', 'pro', 'enterprise')) NOT VALID"
    with assembly.engine.begin() as connection:
        connection.execute(text(constraint.format("DROP", "")))
        connection.execute(text("UPDATE public.profiles SET plan = 'gold'"))
        connection.execute(text(constraint.format("ADD", known)))

    body = client.get(f"/users/{user_id}/usage").json()

    assert (body["plan"], body["resources"]) == ("gold", [])


@pytest.mark.parametrize("id_", ["ada", "1", "0198c0de-0000-7000-8000-0000000000aaa"])
def test_a_user_is_named_by_a_uuid(client: TestClient, id_: str) -> None:
    answer = client.get(f"/users/{id_}/usage")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "path.user_id", "detail": "must be a UUID"}]
