"""What each process is made of: the parts that its settings describe."""

import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from errors import InsightsError
from events import Catalogue, Event, carry_trace, load_catalogue, publish, ring_after_commit
from handlers import Handler, load_handlers
from models import server
from models.connections import connect, session_factory
from models.deadline import Deadlines
from models.transactions import in_transaction
from runtime import connection_budget
from runtime.clients import (
    PROVIDER_SETTINGS,
    make_deadlines,
    make_sentry,
    make_services,
    make_timeouts,
    providers_with_key,
)
from services import Services
from services.redis.commands import Commands
from services.redis.connections import connect as connect_redis
from services.redis.doorbell import Doorbell
from services.redis.transports import commands_over
from services.sentry import Sentry
from settings import Settings
from workers.in_hand import NOTE_WITHIN
from workers.scheduler import JOBS

if TYPE_CHECKING:
    import redis
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session, sessionmaker


class UnknownProvider(InsightsError):
    """Raised at start when a handler names a provider of which no setting holds the key."""

    def __init__(self, handler: Handler) -> None:
        super().__init__(
            f"The handler '{handler.name}' names the provider '{handler.provider}'. "
            f"There are: {', '.join(PROVIDER_SETTINGS)}. runtime/clients.py says which there are."
        )


@dataclass
class Assembly:
    """The parts of one process, each made when it is first used, so never before a fork."""

    settings: Settings
    connections: int = 5  # to PostgreSQL at most; set it before the engine is first used
    # What ends a process that serves; set it as early. Without it, as in the commands of operators,
    # an answer of PostgreSQL may take as long as it takes.
    stopped: threading.Event | None = None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The event types of ours and of EXTRA_PACKAGES."""
        return load_catalogue(*self.settings.extra_packages)

    @cached_property
    def handlers(self) -> dict[str, Handler]:
        """The handlers of ours and of EXTRA_PACKAGES, by name. Raises UnknownProvider."""
        found = load_handlers(*self.settings.extra_packages)
        for handler in found.values():
            if handler.provider is not None and handler.provider not in PROVIDER_SETTINGS:
                raise UnknownProvider(handler)
        return found

    @property
    def providers(self) -> frozenset[str]:
        """The providers of which this process has the key."""
        return providers_with_key(self.settings)

    @cached_property
    def engine(self) -> "Engine":
        return connect(
            self.settings.postgres_url,
            size=self.connections,
            timeouts=make_timeouts(self.settings),
            deadlines=make_deadlines(self.settings, self.stopped) if self.stopped else None,
        )

    @cached_property
    def notes(self) -> "Engine":
        """The one connection on which a worker notes what it has in hand: see workers/in_hand."""
        return connect(
            self.settings.postgres_url,
            size=connection_budget.NOTES,
            name="insights notes",
            timeouts=make_timeouts(self.settings),
            deadlines=Deadlines(answer=NOTE_WITHIN, stopped=self.stopped),
            wait=NOTE_WITHIN,
        )

    @cached_property
    def sessions(self) -> "sessionmaker[Session]":
        """Sessions whose commits ring the relay where they published, if there is a Redis."""
        factory = session_factory(self.engine, self.stopped)
        carry_trace(factory, self.sentry.traceparent)
        if self.settings.redis_url is not None:
            ring_after_commit(factory, self.doorbell.ring)
        return factory

    @cached_property
    def redis(self) -> "redis.Redis":
        return connect_redis(self.settings.redis)

    @cached_property
    def doorbell(self) -> Doorbell:
        return Doorbell(self.settings.redis)

    @cached_property
    def commands(self) -> Commands:
        """Redis for the cache, sessions, locks, limits and progress: Upstash's, if that is set."""
        return commands_over(self.redis, self.settings.upstash)

    @cached_property
    def sentry(self) -> Sentry:
        """Errors and traces. Use it before anything connects: its SDK patches the clients."""
        monitors = {job.name: job.cron for job in JOBS}
        return make_sentry(self.settings, monitors)

    @cached_property
    def services(self) -> Services:
        return make_services(self.settings, self.commands, self.sessions, self.publish)

    def publish(self, *events: Event) -> None:
        """Publish in a transaction of its own, repeated while the database is away."""
        in_transaction(self.sessions, lambda session: publish(session, *events))

    def database_time(self) -> datetime:
        """The time by the database's clock, the only one that decides anything."""
        return in_transaction(self.sessions, server.database_time)

    def close(self) -> None:
        """Close the connections that were made."""
        for engine in ("engine", "notes"):
            if engine in vars(self):
                vars(self)[engine].dispose()
        if "services" in vars(self):
            self.services.close()
        if "doorbell" in vars(self):
            self.doorbell.close()
        if "redis" in vars(self):
            self.redis.close()
