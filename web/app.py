"""Puts the app together: routes, error handlers, middleware and the OpenAPI document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from web.dependencies import Dependencies
from web.error_handlers import add_error_handlers
from web.middleware.body_limit import BodyLimit
from web.middleware.rate_limits import RateLimits
from web.middleware.request_log import RequestLog
from web.middleware.route_templates import RouteTemplates
from web.openapi import PROBLEM, describe_events
from web.routes import health, metrics, newsletter
from web.routes.events import publishing, state
from web.routes.trainings import progress, stream
from web.routes.users import usage

DESCRIPTION = """
Publish events, and read how far trainings are and what users have used.

Servers send an API key: `Authorization: Bearer …`. All errors are problem documents (RFC 9457).
Without a key, each address may call each route only so often; the headers `RateLimit-Policy` and
`RateLimit` say how often, and a 429 comes with `Retry-After`.
"""
ROUTES = (publishing, state, progress, stream, usage, newsletter, health, metrics)


def create_app(dependencies: Dependencies) -> FastAPI:
    """The app, which closes its dependencies when it shuts down."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        dependencies.close()

    app = FastAPI(
        title="Insights Workers",
        version="1.0",
        description=DESCRIPTION,
        redirect_slashes=False,
        redoc_url=None,
        lifespan=lifespan,
        responses=PROBLEM,
    )
    app.state.dependencies = dependencies
    for module in ROUTES:
        app.include_router(module.router)
    add_error_handlers(app)
    describe_events(app, dependencies.catalogue)
    templates = RouteTemplates(app.routes)
    # The last one added runs first: the log sees every answer, and requests beyond the rate limit
    # are refused before their body is read.
    app.add_middleware(BodyLimit)
    app.add_middleware(
        RateLimits,
        limit=dependencies.rate_limit,
        keys=dependencies.api_keys,
        templates=templates,
    )
    app.add_middleware(RequestLog, templates=templates)
    return app
