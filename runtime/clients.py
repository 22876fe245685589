"""Makes the clients of all providers from the settings, for whichever process needs them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from models.transactions import in_transaction
from services import Services
from services.flags import Flags
from services.loops import Loops
from services.posthog import PostHog
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


def make_services(
    settings: Settings,
    commands: Commands,
    sessions: "sessionmaker[Session]",
    publish: Callable[..., Any],
) -> Services:
    """What external handlers work with; a provider without a key is None."""
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
        flags=make_flags(settings, commands),
    )


def make_loops(settings: Settings, commands: Commands) -> Loops | None:
    """Loops at the pace of the whole fleet."""
    if settings.loops_api_key is None:
        return None
    pace = Throttle(commands, "loops", settings.loops_rate)
    key = settings.loops_api_key.get_secret_value()
    return Loops(settings.loops_url, key, pace, settings.emails)


def make_posthog(settings: Settings) -> PostHog | None:
    """Product analytics."""
    if settings.posthog_api_key is None:
        return None
    return PostHog(settings.posthog_host, settings.posthog_api_key.get_secret_value())


def make_flags(settings: Settings, commands: Commands) -> Flags | None:
    """Feature flags need a second key."""
    key, secret = settings.posthog_api_key, settings.posthog_secret_key
    if key is None or secret is None:
        return None
    return Flags(
        settings.posthog_host,
        key.get_secret_value(),
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
