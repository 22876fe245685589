"""The ASGI application: all doubles, their admin API and their pages behind one port."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import Scope

from sandbox import admin
from sandbox.fault_middleware import FaultMiddleware
from sandbox.loops import api as loops
from sandbox.pages import views
from sandbox.posthog import api as posthog
from sandbox.providers import Providers
from sandbox.recorded_requests import RecordingMiddleware
from sandbox.sentry import api as sentry
from sandbox.upstash import api as upstash


def create_app(providers: Providers, break_connection: Callable[[Scope], None]) -> Starlette:
    """`break_connection` closes the connection of a request without an answer."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await providers.upstash.close()

    modules = (admin, views, loops, posthog, sentry, upstash)
    app = Starlette(
        routes=[route for module in modules for route in module.ROUTES], lifespan=lifespan
    )
    app.state.providers = providers
    app.add_middleware(FaultMiddleware, faults=providers.faults, break_connection=break_connection)
    # Added last, so it runs first: requests that run into a fault are recorded too.
    app.add_middleware(RecordingMiddleware, requests=providers.requests)
    return app
