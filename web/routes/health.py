"""`/healthz`: the process lives. `/readyz`: it can do its work, or else says what it lacks."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from web.dependencies import Injected
from web.problems import Problem, Wrong

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """All that publishing needs is there; `without` names what works poorly meanwhile."""

    status: Literal["ready"] = "ready"
    without: list[Wrong] = []


# Not even a free thread is needed: a process whose threads all wait for a database lives.
@router.get("/healthz")
async def tell_life() -> Alive:
    """Answer, whatever the state of the servers that this one needs."""
    return Alive()


@router.get("/readyz")
def tell_readiness(door: Injected) -> Ready:
    """Answer 200 when PostgreSQL and its tables are there; else 503, with what is not.

    Without Redis the door still takes every event, so that is told and no reason to close it.
    """
    lacking, without = list(door.readiness.of_the_database()), list(door.readiness.of_redis())
    if lacking:
        raise Problem(503, "Not ready: `errors` names what is missing.", lacking + without)
    return Ready(without=without)
