"""The ASGI application: all doubles, their admin API and their pages behind one port."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

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
from sandbox.stripe import admin as stripe_admin
from sandbox.stripe import api as stripe
from sandbox.stripe import pages as stripe_pages
from sandbox.stripe.courier import Courier
from sandbox.upstash import api as upstash


def create_app(providers: Providers, break_connection: Callable[[Scope], None]) -> Starlette:
    """`break_connection` closes the connection of a request without an answer."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        courier = asyncio.create_task(Courier(providers.stripe).run())
        yield
        courier.cancel()
        with suppress(asyncio.CancelledError):
            await courier
        await providers.upstash.close()

    # Stripe's pages and admin API go before its API, which answers to every other address.
    modules = (stripe_admin, stripe_pages, admin, views, loops, posthog, sentry, stripe, upstash)
    app = Starlette(
        routes=[route for module in modules for route in module.ROUTES], lifespan=lifespan
    )
    app.state.providers = providers
    app.add_middleware(FaultMiddleware, faults=providers.faults, break_connection=break_connection)
    # Added last, so it runs first: requests that run into a fault are recorded too.
    app.add_middleware(RecordingMiddleware, requests=providers.requests)
    return app
