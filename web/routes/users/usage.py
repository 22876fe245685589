"""`GET /users/{user_id}/usage`: how much of their plan a user has used."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import text

from web.authentication import RequiresKey
from web.dependencies import Injected

router = APIRouter()

USAGE = text("""
    SELECT plan.name AS plan, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM') AS month, l.resource,
           insights.used(:user, l.resource) AS used, l."limit", c.remaining, c.allowed
    FROM (SELECT coalesce((SELECT p.plan FROM public.profiles p WHERE p.id = :user), 'free')
         ) AS plan (name)
    LEFT JOIN (insights.plan_limits l CROSS JOIN LATERAL public.check_limit(:user, l.resource) c)
        ON l.plan = plan.name
    ORDER BY array_position(ARRAY['datasets', 'trainings', 'predictions'], l.resource)
""")


class ResourceUsage(BaseModel):
    """How much of one resource was used, and how much of it is left."""

    resource: Literal["datasets", "trainings", "predictions"]
    used: int
    limit: int | None = Field(description="null: unlimited")
    remaining: int | None = Field(description="null: unlimited")
    allowed: bool = Field(description="Whether one more fits the plan.")


class Usage(BaseModel):
    """A user's usage: data sets as they stand, the others in `month`, in UTC."""

    user_id: UUID
    plan: str = Field(examples=["free"])
    month: str = Field(examples=["2026-11"])
    resources: list[ResourceUsage]


@router.get("/users/{user_id}/usage", dependencies=[RequiresKey], tags=["users"])
def read_usage(user_id: UUID, door: Injected) -> Usage:
    """Tell what a user used of each resource, and what their plan still allows.

    Who has used nothing has no record: an unknown user is one on the free plan who used nothing.
    """
    with door.sessions() as session:
        rows = session.execute(USAGE, {"user": user_id}).mappings().all()
    # A plan that the platform had before us has no limits that we know.
    resources = [ResourceUsage(**row) for row in rows if row["resource"]]
    return Usage(user_id=user_id, plan=rows[0]["plan"], month=rows[0]["month"], resources=resources)
