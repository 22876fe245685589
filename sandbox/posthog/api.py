"""PostHog's ingestion and flags, below `/posthog` (https://posthog.com/docs/api)."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.keys import opens
from sandbox.posthog.project import Project

MOST = 20_000_000
MAGIC = b"\x1f\x8b"
SECRET_KEYS = ("phx_", "phs_")
KINDS = {401: "authentication_error", 413: "payload_too_large", 429: "throttled_error"}
BROKEN = 500


def project_of(request: Request) -> Project:
    """The project of this sandbox."""
    project: Project = request.app.state.world.posthog
    return project


async def body_of(request: Request) -> dict[str, Any] | None:
    """The JSON object of a body, compressed or not; None where there is none."""
    raw = await request.body()
    try:
        plain = gzip.decompress(raw) if raw.startswith(MAGIC) else raw
        body = json.loads(plain)
    except (ValueError, OSError, EOFError, zlib.error):
        return None
    return body if isinstance(body, dict) else None


def key_in(body: Mapping[str, Any]) -> str:
    """The project's key, which comes in the body; empty where it does not."""
    return str(body.get("api_key") or body.get("token") or "")


def refusal(status: int, detail: str) -> JSONResponse:
    """An error as PostHog words it."""
    kind = KINDS.get(status, "validation_error" if status < BROKEN else "server_error")
    return JSONResponse({"type": kind, "code": "invalid", "detail": detail}, status)


async def capture(request: Request) -> Response:
    """`/batch/` and `/i/v0/e/`: events, each taken or dropped with a warning."""
    project = project_of(request)
    if int(request.headers.get("content-length") or 0) > MOST:
        return refusal(413, "The request is too large.")
    body = await body_of(request)
    if body is None:
        return refusal(400, "The body is not JSON.")
    if not opens(key_in(body)):
        return refusal(401, "Project API key invalid.")
    messages = body.get("batch", [body])
    if not isinstance(messages, list):
        return refusal(400, "batch must be a list.")
    project.batches += 1
    for message in messages:
        historical = bool(body.get("historical_migration"))
        project.capture(message, size=len(json.dumps(message)), historical=historical)
    return JSONResponse({"status": "Ok"})


async def flags(request: Request) -> Response:
    """`/flags/`: what the flags are for one person."""
    project, body = project_of(request), await body_of(request)
    if body is None or not opens(key_in(body)):
        return refusal(401, "Project API key invalid.")
    wanted = body.get("flag_keys_to_evaluate")
    decided = project.decide(str(body.get("distinct_id")))
    reason = {"code": "condition_match", "description": "Matched condition", "condition_index": 0}
    answer = {
        key: {
            "key": key,
            "enabled": enabled,
            "variant": None,
            "reason": reason,
            "metadata": {"id": 1, "version": 1, "payload": None},
        }
        for key, enabled in decided.items()
        if not wanted or key in wanted
    }
    return JSONResponse(
        {"flags": answer, "errorsWhileComputingFlags": False, "requestId": "sandbox"}
    )


async def definitions(request: Request) -> Response:
    """`/flags/definitions`: all flags, for local evaluation; 304 where nothing changed."""
    project = project_of(request)
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key.startswith(SECRET_KEYS):
        return refusal(401, "A personal (phx_) or project secret (phs_) key is needed.")
    project.definitions_asked += 1
    body = {"flags": project.flags, "group_type_mapping": {}, "cohorts": {}}
    etag = f'"{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return JSONResponse(body, headers={"ETag": etag})


ROUTES = [
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
