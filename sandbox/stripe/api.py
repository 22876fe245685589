"""Stripe's REST API, below `/stripe` (https://docs.stripe.com/api)."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.providers import providers_of
from sandbox.stripe import resources
from sandbox.stripe.account import Account
from sandbox.stripe.authentication import check_key
from sandbox.stripe.endpoints import ENDPOINTS, Call, Endpoint
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.expand import expanded
from sandbox.stripe.forms import decode
from sandbox.stripe.idempotency import Kept
from sandbox.stripe.schema import check
from sandbox.stripe.switches import VERSIONS
from sandbox.stripe.versions import rendered

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]
resources.load()


def answer(endpoint: Endpoint) -> Answer:
    """What all endpoints share: key, parameters, idempotency, version, headers, errors."""

    async def handle(request: Request) -> Response:
        account = providers_of(request).stripe
        account.request_id = f"req_{secrets.token_hex(7)}"
        raw = await request.body()
        try:
            account.count_request()
            check_key(account, request)
            check_version(request)
            account.tick()
            params = parameters(endpoint, request, raw)
            response = await once(account, endpoint, request, params)
        except StripeError as error:
            error.error["request_log_url"] = f"https://dashboard.stripe.com/{account.request_id}"
            response = error.response
        response.headers.setdefault("request-id", str(account.request_id))
        response.headers["stripe-version"] = version_of(account, request)
        return response

    return handle


def parameters(endpoint: Endpoint, request: Request, raw: bytes) -> dict[str, Any]:
    """The checked parameters of a request. Raises StripeError 400."""
    if endpoint.path.startswith("/v2/"):
        return v2_parameters(endpoint, request, raw)
    given = decode(request.url.query)
    if endpoint.method == "POST":
        try:
            given |= decode(raw.decode())
        except UnicodeDecodeError:
            raise invalid("Invalid UTF-8 in the request body.") from None
    return check(endpoint.schema, given)


def v2_parameters(endpoint: Endpoint, request: Request, raw: bytes) -> dict[str, Any]:
    """v2 takes JSON; its queries are forms. Raises StripeError 400."""
    given: dict[str, Any] = decode(request.url.query)
    if endpoint.method == "POST" and raw:
        try:
            given = json.loads(raw)
        except ValueError:
            raise invalid("The body must be JSON.") from None
    unknown = [name for name in given if name not in endpoint.schema.inside]
    if unknown:
        raise invalid(f"Unknown field: {unknown[0]}", unknown[0], "unknown_field")
    for name, node in endpoint.schema.inside.items():
        if node.required and name not in given:
            raise invalid(f"Missing required field: {name}", name, "missing_required_field")
    return given


async def once(
    account: Account, endpoint: Endpoint, request: Request, params: dict[str, Any]
) -> Response:
    """Act, or replay the answer under the request's idempotency key. Raises StripeError."""
    key = request.headers.get("idempotency-key")
    if endpoint.method != "POST" or not key:
        return act(account, endpoint, request, params)
    what = (endpoint.path, tuple(request.path_params.items()), json.dumps(params, sort_keys=True))
    kept = account.keys.begin(key, what, account.real_now())
    if kept is not None:
        return replayed(kept)
    request_id = str(account.request_id)
    try:
        if account.switches.slow:
            await asyncio.sleep(account.switches.slow)
        # Other requests may have run while this one slept.
        account.request_id, account.idempotency_key = request_id, key
        response = act(account, endpoint, request, params)
        if account.switches.fail_after:
            left = account.switches.fail_after - 1
            account.switches = account.switches.model_copy(update={"fail_after": left})
            response = StripeError(500, "An error occurred.", kind="api_error").response
    except StripeError as error:
        if not error.began:
            account.keys.drop(key)
            raise
        response = error.response
    finally:
        account.idempotency_key = None
    account.keys.end(key, response.status_code, bytes(response.body), request_id)
    return response


def replayed(kept: Kept) -> Response:
    headers = {"idempotent-replayed": "true", "original-request": kept.request_id}
    return Response(kept.body, kept.status, headers, media_type="application/json")


def act(
    account: Account, endpoint: Endpoint, request: Request, params: dict[str, Any]
) -> JSONResponse:
    """Run the endpoint's own function. Raises StripeError."""
    account.base_url = f"{request.base_url}stripe"
    path = request.url.path.removeprefix("/stripe")
    found = endpoint.handler(Call(account, params, dict(request.path_params), path))
    shown = expanded(account, found, params.get("expand", []))
    return JSONResponse(rendered(shown, version_of(account, request)))


def version_of(account: Account, request: Request) -> str:
    """The version that a request is answered in."""
    return request.headers.get("stripe-version") or account.switches.default_version


def check_version(request: Request) -> None:
    """Raises StripeError 400."""
    asked = request.headers.get("stripe-version")
    if asked is not None and asked not in VERSIONS:
        raise invalid(f"Invalid Stripe API version: {asked}")


async def unknown(request: Request) -> Response:
    """What is no address of Stripe's, or none that the double knows."""
    url = f"{request.method}: {request.url.path.removeprefix('/stripe')}"
    return StripeError(404, f"Unrecognized request URL ({url}).").response


# A fixed address goes before one with an id in the same place.
BY_PATH = sorted(ENDPOINTS, key=lambda each: each.path.count("{"))
ROUTES = [
    *(Route(f"/stripe{each.path}", answer(each), methods=[each.method]) for each in BY_PATH),
    Route("/stripe/{rest:path}", unknown, methods=["GET", "POST", "DELETE"]),
]
