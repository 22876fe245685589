"""`GET /users/{user_id}/usage`: how much of their plan a user has used."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from models.usage_limits import usage_of
from web.authentication import RequiresKey
from web.dependencies import Injected

router = APIRouter()


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
def read_usage(user_id: UUID, dependencies: Injected) -> Usage:
    """Show what a user used of each resource, and what their plan still allows.

    A user who has used nothing has no record, so an unknown user is shown as one on the free plan
    who used nothing.
    """
    with dependencies.sessions() as session:
        rows = usage_of(session, user_id)
    # A profile of the platform may have a plan that `plan_limits` does not list.
    resources = [
        ResourceUsage.model_validate(row, from_attributes=True) for row in rows if row.resource
    ]
    return Usage(user_id=user_id, plan=rows[0].plan, month=rows[0].month, resources=resources)
