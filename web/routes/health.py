"""`/healthz`: whether the process lives. `/readyz`: whether it can work, or what is missing."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from web.dependencies import Injected
from web.problems import FieldError, Problem

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """All that publishing needs is there; `without` names what is missing beyond that."""

    status: Literal["ready"] = "ready"
    without: list[FieldError] = []


# Both `async`: a process whose threads all wait for a database lives, and says what is missing.
@router.get("/healthz")
async def report_liveness() -> Alive:
    """Answer 200, whatever the state of PostgreSQL and Redis."""
    return Alive()


@router.get("/readyz")
async def report_readiness(dependencies: Injected) -> Ready:
    """Answer 200 when PostgreSQL and its tables are there; else 503, with what is missing.

    Without Redis every event is still accepted, so that is reported and makes no 503. All who ask
    within a second get the result of one check.
    """
    found = await dependencies.readiness.get()
    if found.missing:
        detail = "Not ready: `errors` names what is missing."
        raise Problem(503, detail, [*found.missing, *found.without])
    return Ready(without=found.without)
