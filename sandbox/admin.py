"""For tests and for the pages: what the doubles remember, and how they are to behave."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import Fault
from sandbox.world import PROVIDERS, World


def world_of(request: Request) -> World:
    """The world of this sandbox."""
    world: World = request.app.state.world
    return world


def loops_of(world: World) -> dict[str, Any]:
    """What Loops holds and was sent."""
    team = world.loops
    return {
        "mails": [asdict(mail) for mail in team.mails],
        "contacts": [contact.shown() for contact in team.audience.contacts],
        "events": [asdict(event) for event in team.events],
        "requests": team.requests,
        "refused": team.refused,
        "replays": team.replays,
        "busiest_second": team.busiest,
    }


def posthog_of(world: World) -> dict[str, Any]:
    """What PostHog was sent; `events` is what is left after de-duplication."""
    project = world.posthog
    return {
        "received": len(project.received),
        "batches": project.batches,
        "events": [asdict(event) for event in project.events()],
        "persons": project.persons,
        "warnings": project.warnings,
        "flags": project.flags,
        "definitions_asked": project.definitions_asked,
    }


def sentry_of(world: World) -> dict[str, Any]:
    """What Sentry was sent."""
    intake = world.sentry
    return {
        "events": intake.of_type("event"),
        "transactions": intake.of_type("transaction"),
        "check_ins": intake.of_type("check_in"),
    }


def upstash_of(world: World) -> dict[str, Any]:
    """How much Upstash was asked."""
    return {"commands": world.upstash.commands}


STATES: dict[str, Callable[[World], dict[str, Any]]] = {
    "loops": loops_of,
    "posthog": posthog_of,
    "sentry": sentry_of,
    "upstash": upstash_of,
}


def tell(value: Any, status: int = 200) -> Response:
    """A value as JSON; times in ISO 8601."""
    body = json.dumps(value, default=str, ensure_ascii=False)
    return Response(body, status, media_type="application/json")


async def state(request: Request) -> Response:
    """What one provider's double remembers."""
    provider = request.path_params["provider"]
    if provider not in STATES:
        return tell({"error": f"There are: {', '.join(STATES)}."}, 404)
    return tell(STATES[provider](world_of(request)))


async def raw(request: Request) -> Response:
    """Every payload that Sentry was sent, as text."""
    return tell(world_of(request).sentry.raw)


async def fault(request: Request) -> Response:
    """PUT a provider's fault, DELETE it, or GET all."""
    world, provider = world_of(request), request.path_params.get("provider")
    if request.method == "GET":
        found = {name: each.model_dump() for name, each in world.faults.of.items()}
        return tell({"faults": found, "met": world.faults.met})
    if provider not in PROVIDERS:
        return tell({"error": f"There are: {', '.join(PROVIDERS)}."}, 404)
    if request.method == "DELETE":
        world.faults.set(provider, None)
        return tell({})
    try:
        wanted = Fault.model_validate_json(await request.body())
    except ValidationError as error:
        return tell({"error": str(error)}, 422)
    world.faults.set(provider, wanted)
    return tell(wanted.model_dump())


async def clock(request: Request) -> Response:
    """POST `{"advance": seconds}`: let time pass for the doubles."""
    body = await request.json()
    world_of(request).clock.advance(timedelta(seconds=float(body["advance"])))
    return tell({"now": world_of(request).clock.now()})


async def flags(request: Request) -> Response:
    """PUT the feature flags, in the form of PostHog's definitions."""
    world_of(request).posthog.flags = await request.json()
    return tell({})


async def limit(request: Request) -> Response:
    """PUT `{"per_second": n}`: how many requests Loops takes, until all is forgotten."""
    world_of(request).loops.per_second = int((await request.json())["per_second"])
    return tell({})


async def reset(request: Request) -> Response:
    """Forget everything."""
    world_of(request).forget()
    return JSONResponse({})


ROUTES = [
    Route("/sandbox/state/{provider}", state),
    Route("/sandbox/sentry/raw", raw),
    Route("/sandbox/faults", fault),
    Route("/sandbox/faults/{provider}", fault, methods=["PUT", "DELETE"]),
    Route("/sandbox/clock", clock, methods=["POST"]),
    Route("/sandbox/flags", flags, methods=["PUT"]),
    Route("/sandbox/limit", limit, methods=["PUT"]),
    Route("/sandbox/reset", reset, methods=["POST"]),
]
