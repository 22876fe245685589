"""Puts the doubles together behind one port."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import Scope

from sandbox import admin
from sandbox.faults import Misbehave
from sandbox.loops import api as loops
from sandbox.pages import views
from sandbox.posthog import api as posthog
from sandbox.requests import Remember
from sandbox.sentry import api as sentry
from sandbox.upstash import api as upstash
from sandbox.world import World


def create_app(world: World, hang_up: Callable[[Scope], None]) -> Starlette:
    """All doubles of a world. `hang_up` breaks the connection of a request."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await world.upstash.close()

    modules = (admin, views, loops, posthog, sentry, upstash)
    app = Starlette(
        routes=[route for module in modules for route in module.ROUTES], lifespan=lifespan
    )
    app.state.world = world
    app.add_middleware(Misbehave, faults=world.faults, hang_up=hang_up)
    # The last that is added is the first that is asked: what runs into a fault is kept too.
    app.add_middleware(Remember, requests=world.requests)
    return app
