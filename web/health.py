"""`/healthz`: the process lives. `/readyz`: it can do its work, or else says what it lacks."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from web.door import TheDoor
from web.problems import Problem

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Everything that the door needs is there."""

    status: Literal["ready"] = "ready"


# Not even a free thread is needed: a process whose threads all wait for a database lives.
@router.get("/healthz")
async def tell_life() -> Alive:
    """Answer, whatever the state of the servers that this one needs."""
    return Alive()


@router.get("/readyz")
def tell_readiness(door: TheDoor) -> Ready:
    """Answer 200 when PostgreSQL, its tables and Redis are there; else 503, with what is not."""
    lacking = door.readiness.lacking()
    if lacking:
        raise Problem(503, "Not ready: `errors` names what is missing.", lacking)
    return Ready()
