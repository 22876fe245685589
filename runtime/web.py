"""Puts the web process together: its connections, its dependencies and the app."""

from functools import partial
from threading import Event

import structlog
from fastapi import FastAPI
from sqlalchemy import Engine

from events import carry_trace, load_catalogue, ring_after_commit
from models.connections import connect, connect_for_each_look, session_factory
from runtime import connection_budget
from runtime.clients import make_deadlines, make_sentry, make_timeouts
from services.redis.circuit_breaker import GuardedCommands
from services.redis.connections import REQUEST_TIMEOUT, connect_quickly
from services.redis.doorbell import Doorbell
from services.redis.progress import ProgressBoard
from services.redis.rate_limit import RateLimit
from services.redis.self_test import self_test
from services.redis.transports import commands_over, feed_over
from settings import Settings
from web.app import create_app
from web.authentication import ApiKeys
from web.dependencies import Dependencies
from web.metrics import scrape
from web.open_streams import OpenStreams
from web.readiness import Readiness
from web.shared_result import SharedResult

log = structlog.get_logger()
# A probe must answer before its caller gives up.
PROBE_DEADLINE = 5.0  # seconds for all that one look asks the database; it takes milliseconds


def make_app(settings: Settings) -> FastAPI:
    """The web app that these settings ask for; it connects to nothing yet.

    Raises MissingSetting.
    """
    if not settings.insights_api_keys:
        log.warning("no_api_keys", hint="INSIGHTS_API_KEYS is not set: requests get a 401.")
    return create_app(make_dependencies(settings))


def make_engine(settings: Settings, stopped: Event) -> Engine:
    """Connections for requests; none waits for an answer for long once `stopped` is set."""
    return connect(
        settings.postgres_url,
        size=connection_budget.WEB,
        name="insights-web",
        timeouts=make_timeouts(settings),
        deadlines=make_deadlines(settings, stopped),
    )


def make_dependencies(settings: Settings) -> Dependencies:
    # Sentry first: it instruments what connects after it.
    sentry = make_sentry(settings, monitors={})
    stopped = Event()
    engine = make_engine(settings, stopped)
    probe = connect_for_each_look(settings.postgres_url, PROBE_DEADLINE)
    redis = connect_quickly(settings.redis)
    commands = commands_over(redis, settings.upstash, REQUEST_TIMEOUT)
    sessions = session_factory(engine, stopped)
    carry_trace(sessions, sentry.traceparent)
    doorbell = Doorbell(settings.redis)
    ring_after_commit(sessions, doorbell.ring)
    catalogue = load_catalogue(*settings.extra_packages)
    test_redis = partial(self_test, redis, "Redis at REDIS_URL", services=not settings.upstash)
    readiness = Readiness(probe, test_redis, frozenset(catalogue))

    def close() -> None:
        sentry.flush()
        engine.dispose()
        doorbell.close()
        redis.close()

    return Dependencies(
        catalogue=catalogue,
        api_keys=ApiKeys(settings.insights_api_keys),
        sessions=sessions,
        board=ProgressBoard(GuardedCommands(commands)),
        feed=partial(feed_over, settings.redis, settings.upstash),
        rate_limit=RateLimit(commands, settings.rate_limit, settings.rate_limit_seconds),
        readiness=SharedResult(readiness.check),
        metrics=SharedResult(partial(scrape, probe)),
        streams=OpenStreams(),
        stopped=stopped,
        close=close,
    )
