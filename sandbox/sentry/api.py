"""Sentry's ingestion: `/sentry/api/{project}/envelope/`, for the DSN `http://key@host/sentry/1`.

The protocol is described at https://develop.sentry.dev/sdk/data-model/envelopes/.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.providers import providers_of


async def envelope(request: Request) -> Response:
    """Accept an envelope. The key is not checked: SDKs never ask whether it is right."""
    shown = request.headers.get("x-sentry-auth", "") + str(request.query_params)
    if "sentry_key=" not in shown:
        return JSONResponse({"detail": "missing authorization information"}, 403)
    try:
        id_ = providers_of(request).sentry.add(await request.body())
    except (ValueError, OSError, KeyError):
        return JSONResponse({"detail": "invalid envelope"}, 400)
    return JSONResponse({"id": id_})


ROUTES = [Route("/sentry/api/{project}/envelope/", envelope, methods=["POST"])]
