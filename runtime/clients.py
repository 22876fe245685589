"""Makes the clients of the providers from the settings."""

from collections.abc import Callable, Mapping
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from models.connections import TransactionTimeouts
from models.deadline import Deadlines
from models.transactions import in_transaction
from services import Services
from services.flags import Flags
from services.loops import Loops
from services.posthog import Persons, PostHog
from services.redis.cache import Cache
from services.redis.commands import Commands
from services.redis.lock import Locks
from services.redis.progress import ProgressBoard
from services.redis.sessions import Sessions
from services.redis.throttle import Throttle
from services.sentry import Sentry
from services.services import Links
from services.storage import Storage
from settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker


PROVIDER_SETTINGS = {
    "loops": "loops_api_key",
    "posthog": "posthog_api_key",
    "posthog_persons": "posthog_personal_api_key",
}
"""Provider that handlers may name → the setting that holds its key, in lower case."""


def key_of(settings: Settings, provider: str) -> str | None:
    """The key of a provider; None where it is not set."""
    key: SecretStr | None = getattr(settings, PROVIDER_SETTINGS[provider])
    return None if key is None else key.get_secret_value()


def providers_with_key(settings: Settings) -> frozenset[str]:
    """The providers whose work a process with these settings can do."""
    return frozenset(name for name in PROVIDER_SETTINGS if key_of(settings, name) is not None)


def make_services(
    settings: Settings,
    commands: Commands,
    sessions: "sessionmaker[Session]",
    publish: Callable[..., Any],
) -> Services:
    """What external handlers work with; a provider that has no key is None."""
    return Services(
        publish=publish,
        transaction=partial(in_transaction, sessions),
        links=Links(settings.app, settings.docs),
        progress=ProgressBoard(commands),
        cache=Cache(commands),
        sessions=Sessions(commands),
        locks=Locks(commands),
        storage=Storage(settings.storage),
        loops=make_loops(settings, commands),
        posthog=make_posthog(settings),
        persons=make_persons(settings),
        flags=make_flags(settings, commands),
    )


def make_loops(settings: Settings, commands: Commands) -> Loops | None:
    """The client of Loops, or None without a key. All processes share one throttle."""
    key = key_of(settings, "loops")
    if key is None:
        return None
    # Its state is in Redis: Loops limits a team, not a process.
    throttle = Throttle(commands, "loops", settings.loops_rate)
    list_ = settings.loops_newsletter_list_id
    return Loops(settings.loops_url, key, throttle, settings.emails, list_)


def make_posthog(settings: Settings) -> PostHog | None:
    """The client that captures events, or None without a key."""
    key = key_of(settings, "posthog")
    return None if key is None else PostHog(settings.posthog_host, key)


def make_persons(settings: Settings) -> Persons | None:
    """The client that deletes PostHog's persons, or None without a personal key."""
    key, project = key_of(settings, "posthog_persons"), settings.posthog_project_id
    return Persons(settings.posthog_api, project, key) if key and project else None


def make_flags(settings: Settings, commands: Commands) -> Flags | None:
    """The client of PostHog's feature flags, or None: they need the secret key too."""
    key, secret = key_of(settings, "posthog"), settings.posthog_secret_key
    if key is None or secret is None:
        return None
    return Flags(
        settings.posthog_host,
        key,
        secret.get_secret_value(),
        commands,
        settings.posthog_flags_seconds,
    )


def make_sentry(settings: Settings, monitors: Mapping[str, str]) -> Sentry:
    """Errors and traces, or nothing where there is no DSN."""
    return Sentry(
        settings.sentry_dsn.get_secret_value() if settings.sentry_dsn else None,
        environment=settings.environment,
        release=settings.release,
        traces=settings.traces,
        monitors=monitors,
    )


def make_timeouts(settings: Settings) -> TransactionTimeouts:
    """The time-outs that every transaction of ours sets."""
    return TransactionTimeouts(settings.transaction_idle_seconds, settings.lock_seconds)


def make_deadlines(settings: Settings, stopped: Event) -> Deadlines:
    """When a process that serves until `stopped` is set gives up a connection."""
    return Deadlines(answer=settings.database_answer_seconds, stopped=stopped)
