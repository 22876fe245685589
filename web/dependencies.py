"""The parts that the endpoints work with, made once per app and handed to each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from events import Catalogue, carry_trace, load_catalogue, ring_after_commit
from models.connections import connect, session_factory
from services.redis.doorbell import Doorbell
from services.redis.progress import ProgressBoard
from services.redis.quick_connections import PATIENCE, answers, connect_quickly
from services.redis.rate_limit import RateLimit
from services.redis.transports import commands_over
from services.sentry import Sentry
from settings import Settings
from web.authentication import ApiKeys
from web.open_streams import OpenStreams
from web.readiness import Readiness

CONNECTIONS = 10


@dataclass(frozen=True)
class Door:
    """One app's parts. Nothing connects before it is used."""

    settings: Settings
    catalogue: Catalogue
    keys: ApiKeys
    engine: Engine
    sessions: "sessionmaker[Session]"
    board: ProgressBoard
    rate_limit: RateLimit
    readiness: Readiness
    streams: OpenStreams
    closers: tuple[Callable[[], None], ...]

    def close(self) -> None:
        """Close the connections that were made."""
        for close in self.closers:
            close()


def make_dependencies(settings: Settings) -> Door:
    """The parts that these settings ask for. Raises MissingSetting."""
    sentry = Sentry(
        settings.sentry_dsn.get_secret_value() if settings.sentry_dsn else None,
        environment=settings.environment,
        release=settings.release,
        traces=settings.traces,
    )
    engine = connect(settings.postgres_url, size=CONNECTIONS, name="insights-web")
    redis = connect_quickly(settings.redis)
    commands = commands_over(redis, *settings.upstash, PATIENCE)
    sessions = session_factory(engine)
    carry_trace(sessions, sentry.traceparent)
    ring_after_commit(sessions, Doorbell(redis).ring)
    catalogue = load_catalogue(*settings.extra_packages)
    return Door(
        settings=settings,
        catalogue=catalogue,
        keys=ApiKeys(settings.insights_api_keys),
        engine=engine,
        sessions=sessions,
        board=ProgressBoard(commands),
        rate_limit=RateLimit(commands, settings.rate_limit, settings.rate_limit_seconds),
        readiness=Readiness(settings.postgres_url, partial(answers, redis), frozenset(catalogue)),
        streams=OpenStreams(),
        closers=(sentry.flush, engine.dispose, redis.close),
    )


async def injected_dependencies(request: Request) -> Door:
    """The door of the app that the request came to."""
    door: Door = request.app.state.door
    return door


Injected = Annotated[Door, Depends(injected_dependencies)]
