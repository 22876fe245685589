"""The admin API, below `/sandbox`: what the doubles were sent, and how they are to behave.

`sandbox.client` is its client.
"""

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
from sandbox.providers import PROVIDER_NAMES, Providers, providers_of
from sandbox.stripe.objects import public


def loops_state(providers: Providers) -> dict[str, Any]:
    """What Loops holds and was sent."""
    team = providers.loops
    return {
        "mails": [asdict(mail) for mail in team.mails],
        "contacts": [contact.as_json() for contact in team.audience.contacts],
        "events": [asdict(event) for event in team.events],
        "requests": team.requests,
        "refused": team.refused,
        "replays": team.replays,
        "busiest_second": team.busiest_second,
    }


def posthog_state(providers: Providers) -> dict[str, Any]:
    """What PostHog was sent; `events` is what is left after de-duplication."""
    project = providers.posthog
    return {
        "received": len(project.received),
        "batches": project.batches,
        "events": [asdict(event) for event in project.events()],
        "persons": project.persons,
        "warnings": project.warnings,
        "flags": project.flags,
        "definitions_asked": project.definitions_asked,
    }


def sentry_state(providers: Providers) -> dict[str, Any]:
    """What Sentry was sent."""
    project = providers.sentry
    return {
        "events": project.of_type("event"),
        "transactions": project.of_type("transaction"),
        "check_ins": project.of_type("check_in"),
    }


def stripe_state(providers: Providers) -> dict[str, Any]:
    """What Stripe holds, what happened there, and which webhooks were sent."""
    account = providers.stripe
    return {
        "objects": {kind: list(rows.values()) for kind, rows in public(account.objects).items()},
        "events": public(account.events),
        "deliveries": [each.as_json() for each in account.deliveries.all],
        "requests": account.requests,
        "busiest_second": max(account.per_second.values(), default=0),
    }


def upstash_state(providers: Providers) -> dict[str, Any]:
    """How many commands Upstash was sent."""
    return {"commands": providers.upstash.commands}


STATES: dict[str, Callable[[Providers], dict[str, Any]]] = {
    "loops": loops_state,
    "posthog": posthog_state,
    "sentry": sentry_state,
    "stripe": stripe_state,
    "upstash": upstash_state,
}


def json_response(value: Any, status: int = 200) -> Response:
    """A value as JSON; times in ISO 8601."""
    body = json.dumps(value, default=str, ensure_ascii=False)
    return Response(body, status, media_type="application/json")


async def state(request: Request) -> Response:
    """GET what one provider's double was sent."""
    provider = request.path_params["provider"]
    if provider not in STATES:
        return json_response({"error": f"There are: {', '.join(STATES)}."}, 404)
    return json_response(STATES[provider](providers_of(request)))


async def sentry_envelopes(request: Request) -> Response:
    """GET every envelope that Sentry was sent, as text."""
    return json_response(providers_of(request).sentry.envelopes_as_text())


async def list_faults(request: Request) -> Response:
    """GET the fault of each provider, and how many requests met one."""
    faults = providers_of(request).faults
    found = {name: each.model_dump() for name, each in faults.of.items()}
    return json_response({"faults": found, "met": faults.met})


async def change_fault(request: Request) -> Response:
    """PUT a provider's fault, or DELETE it."""
    faults, provider = providers_of(request).faults, request.path_params["provider"]
    if provider not in PROVIDER_NAMES:
        return json_response({"error": f"There are: {', '.join(PROVIDER_NAMES)}."}, 404)
    if request.method == "DELETE":
        faults.end(provider)
        return json_response({})
    try:
        fault = Fault.model_validate_json(await request.body())
    except ValidationError as error:
        return json_response({"error": str(error)}, 422)
    faults.set(provider, fault)
    return json_response(fault.model_dump())


async def advance_clock(request: Request) -> Response:
    """POST `{"advance": seconds}`: move the doubles' clock forward."""
    body, clock = await request.json(), providers_of(request).clock
    clock.advance(timedelta(seconds=float(body["advance"])))
    providers_of(request).stripe.tick()
    return json_response({"now": clock.now()})


async def set_flags(request: Request) -> Response:
    """PUT the feature flags, in the form of PostHog's flag definitions."""
    providers_of(request).posthog.flags = await request.json()
    return json_response({})


async def set_loops_rate_limit(request: Request) -> Response:
    """PUT `{"per_second": n}`: how many requests Loops accepts, until the next reset."""
    providers_of(request).loops.per_second = int((await request.json())["per_second"])
    return json_response({})


async def reset(request: Request) -> Response:
    """POST: forget everything that was sent, and end all faults."""
    providers_of(request).reset()
    return JSONResponse({})


ROUTES = [
    Route("/sandbox/state/{provider}", state),
    Route("/sandbox/sentry/raw", sentry_envelopes),
    Route("/sandbox/faults", list_faults),
    Route("/sandbox/faults/{provider}", change_fault, methods=["PUT", "DELETE"]),
    Route("/sandbox/clock", advance_clock, methods=["POST"]),
    Route("/sandbox/flags", set_flags, methods=["PUT"]),
    Route("/sandbox/limit", set_loops_rate_limit, methods=["PUT"]),
    Route("/sandbox/reset", reset, methods=["POST"]),
]
