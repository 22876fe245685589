"""PostHog's private API for deleting persons (https://posthog.com/docs/api/persons)."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.posthog.answers import body_of, error_response
from sandbox.providers import providers_of

PROJECT = "1"
PERSONAL_KEY_PREFIX = "phx_"  # a project's keys may capture and read flags, and nothing else
MOST_IDS = 1_000
FLAGS = ("delete_events", "delete_recordings", "keep_person")
LISTS = ("ids", "distinct_ids")


async def delete_persons(request: Request) -> Response:
    """Delete persons by their distinct ids; PostHog only queues the deletion of events."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key.startswith(PERSONAL_KEY_PREFIX):
        return error_response(401, "A personal API key (phx_) is needed.")
    if request.path_params["project"] != PROJECT:
        return error_response(404, "Project not found.")
    body = await body_of(request)
    if body is None:
        return error_response(400, "The body is not JSON.")
    if complaint := complaint_about(body):
        return error_response(400, complaint)
    delete_events = bool(body.get("delete_events"))
    found = providers_of(request).posthog.delete_persons(
        body["distinct_ids"], delete_events=delete_events
    )
    if not found:
        return error_response(400, "The given ids matched no person.")
    answer = {
        "persons_found": found,
        "persons_deleted": found,
        "events_queued_for_deletion": delete_events,
        "recordings_queued_for_deletion": bool(body.get("delete_recordings")),
        "deletion_errors": [],
    }
    return JSONResponse(answer, 202)


def complaint_about(body: Mapping[str, Any]) -> str | None:
    """What is wrong with a request; None where nothing is."""
    for name in FLAGS:
        if not isinstance(body.get(name, False), bool):
            return f"{name} must be a boolean."
    for name in LISTS:
        ids = body.get(name, [])
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            return f"{name} must be a list of strings."
        if len(ids) > MOST_IDS:
            return f"At most {MOST_IDS} {name} are allowed."
    # The double knows persons by their distinct ids alone.
    return None if body.get("distinct_ids") else "Give ids or distinct_ids."


ROUTES = [
    Route(
        f"/posthog/api/{parent}/{{project}}/persons/bulk_delete/", delete_persons, methods=["POST"]
    )
    for parent in ("projects", "environments")
]
