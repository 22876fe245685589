"""Puts the door together: the composition root of the web process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

from settings import Settings
from web.dependencies import make_dependencies
from web.middleware.body_limit import BodyLimit
from web.middleware.rate_limits import RateLimits
from web.middleware.request_log import RequestLog
from web.middleware.route_templates import RouteTemplates
from web.openapi import PROBLEM, describe_events
from web.problems import answer_with_problems
from web.routes import health, metrics, newsletter
from web.routes.events import publishing
from web.routes.events import state as deliveries
from web.routes.trainings import progress, stream
from web.routes.users import usage

log = structlog.get_logger()
DESCRIPTION = """
What happened comes in as events; how far trainings are, and what users have used, goes out.

Servers show a key: `Authorization: Bearer …`. All errors are problem documents (RFC 9457). Who
shows no key may ask each route so often per address; the headers `RateLimit-Policy` and
`RateLimit` tell how often, and a 429 comes with `Retry-After`.
"""


def create_app(settings: Settings) -> FastAPI:
    """The door as these settings want it. Raises MissingSetting; connects to nothing yet."""
    door = make_dependencies(settings)
    if not settings.insights_api_keys:
        log.warning("nobody_may_come_in", hint="INSIGHTS_API_KEYS is not set.")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        door.close()

    app = FastAPI(
        title="Insights Workers",
        version="1.0",
        description=DESCRIPTION,
        redirect_slashes=False,
        redoc_url=None,
        lifespan=lifespan,
        responses=PROBLEM,
    )
    app.state.door = door
    for module in (publishing, deliveries, progress, stream, usage, newsletter, health, metrics):
        app.include_router(module.router)
    answer_with_problems(app)
    describe_events(app, door.catalogue)
    templates = RouteTemplates(app.routes)
    app.add_middleware(BodyLimit)
    app.add_middleware(RateLimits, limit=door.rate_limit, keys=door.keys, templates=templates)
    app.add_middleware(RequestLog, templates=templates)
    return app
