"""Sentry's intake, `/sentry/api/{project}/envelope/`; the DSN is `http://key@host/sentry/1`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def envelope(request: Request) -> Response:
    """Take an envelope from whoever shows a key."""
    shown = request.headers.get("x-sentry-auth", "") + str(request.query_params)
    if "sentry_key=" not in shown:
        return JSONResponse({"detail": "missing authorization information"}, 403)
    try:
        id_ = request.app.state.world.sentry.take(await request.body())
    except (ValueError, OSError, KeyError):
        return JSONResponse({"detail": "invalid envelope"}, 400)
    return JSONResponse({"id": id_})


ROUTES = [Route("/sentry/api/{project}/envelope/", envelope, methods=["POST"])]
