"""The settings with which everything talks to the sandbox instead of the real providers."""

from urllib.parse import urlsplit

from pydantic import SecretStr

from handlers.emails.templates import sources
from sandbox.templates import Template
from settings import Settings

KEY = "sandbox-key"


def id_of(name: str) -> str:
    """A made-up id, as Loops gives one to each email."""
    return f"cl{name.replace('_', '')}0000"


def templates() -> dict[str, Template]:
    """Our emails as if they had been pasted into Loops."""
    return {id_of(name): Template(name, source) for name, source in sources().items()}


def settings_for(settings: Settings, url: str, *, upstash: bool = True) -> Settings:
    """The same settings with the sandbox at `url` for all providers that it doubles."""
    host = urlsplit(url).netloc
    found: dict[str, object] = {
        "loops_api_key": SecretStr(KEY),
        "loops_url": f"{url}/loops/api",
        "posthog_api_key": SecretStr("phc_sandbox"),
        "posthog_secret_key": SecretStr("phs_sandbox"),
        "posthog_host": f"{url}/posthog",
        "sentry_dsn": SecretStr(f"http://{KEY}@{host}/sentry/1"),
    }
    found |= {f"loops_{name}_id": id_of(name) for name in settings.emails}
    if upstash:
        found |= {
            "upstash_redis_rest_url": f"{url}/upstash",
            "upstash_redis_rest_token": SecretStr(KEY),
        }
    return settings.model_copy(update=found)
