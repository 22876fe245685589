"""PostHog's ingestion and feature flags, below `/posthog` (https://posthog.com/docs/api)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.authentication import accepts_key
from sandbox.posthog import persons
from sandbox.posthog.answers import body_of, error_response
from sandbox.providers import providers_of

MAX_BODY = 20_000_000  # bytes (https://posthog.com/docs/api/capture)
# Prefixes of personal and project secret keys, which alone may read flag definitions.
SECRET_KEY_PREFIXES = ("phx_", "phs_")


def project_key(body: Mapping[str, Any]) -> str:
    """The project API key, which is part of the body; empty where it is missing."""
    return str(body.get("api_key") or body.get("token") or "")


async def capture(request: Request) -> Response:
    """`/batch/` and `/i/v0/e/`: events, each kept or dropped with an ingestion warning."""
    project = providers_of(request).posthog
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        return error_response(413, "The request is too large.")
    body = await body_of(request)
    if body is None:
        return error_response(400, "The body is not JSON.")
    if not accepts_key(project_key(body)):
        return error_response(401, "Project API key invalid.")
    messages = body.get("batch", [body])
    if not isinstance(messages, list):
        return error_response(400, "batch must be a list.")
    project.batches += 1
    for message in messages:
        historical = bool(body.get("historical_migration"))
        project.capture(message, size=len(json.dumps(message)), historical=historical)
    return JSONResponse({"status": "Ok"})


async def flags(request: Request) -> Response:
    """`/flags/`: the values of all flags for one person."""
    project, body = providers_of(request).posthog, await body_of(request)
    if body is None or not accepts_key(project_key(body)):
        return error_response(401, "Project API key invalid.")
    wanted = body.get("flag_keys_to_evaluate")
    enabled_flags = project.evaluate_flags(str(body.get("distinct_id")))
    reason = {"code": "condition_match", "description": "Matched condition", "condition_index": 0}
    answer = {
        key: {
            "key": key,
            "enabled": enabled,
            "variant": None,
            "reason": reason,
            "metadata": {"id": 1, "version": 1, "payload": None},
        }
        for key, enabled in enabled_flags.items()
        if not wanted or key in wanted
    }
    return JSONResponse(
        {"flags": answer, "errorsWhileComputingFlags": False, "requestId": "sandbox"}
    )


async def definitions(request: Request) -> Response:
    """`/flags/definitions`: all flags, for local evaluation; 304 where nothing changed."""
    project = providers_of(request).posthog
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key.startswith(SECRET_KEY_PREFIXES):
        return error_response(401, "A personal (phx_) or project secret (phs_) key is needed.")
    project.definitions_asked += 1
    body = {"flags": project.flags, "group_type_mapping": {}, "cohorts": {}}
    etag = f'"{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return JSONResponse(body, headers={"ETag": etag})


ROUTES = [
    *persons.ROUTES,
    *(
        Route(f"/posthog/{path}", capture, methods=["POST"])
        for path in ("batch/", "batch", "i/v0/e/", "i/v0/e", "capture/")
    ),
    *(Route(f"/posthog/{path}", flags, methods=["POST"]) for path in ("flags/", "flags")),
    *(
        Route(f"/posthog/{path}", definitions)
        for path in (
            "flags/definitions",
            "flags/definitions/",
            "api/feature_flag/local_evaluation",
            "api/feature_flag/local_evaluation/",
        )
    ),
]
