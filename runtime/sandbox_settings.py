"""The settings with which everything talks to the sandbox instead of the real providers."""

from urllib.parse import urlsplit

from pydantic import SecretStr

from handlers.emails.templates import sources
from sandbox.loops.templates import Template
from settings import Settings

KEY = "sandbox-key"  # the doubles refuse the key "wrong" and take any other


def template_id(name: str) -> str:
    """The id of one of our emails in the sandbox, of the form that Loops uses."""
    return f"cl{name.replace('_', '')}0000"


def sandbox_templates() -> dict[str, Template]:
    """Our emails by their ids, as if they had been pasted into Loops."""
    return {template_id(name): Template(name, source) for name, source in sources().items()}


def sandbox_settings(settings: Settings, url: str, *, upstash: bool = True) -> Settings:
    """The same settings with the sandbox at `url` in place of every provider that it doubles.

    Without `upstash`, Redis is reached at REDIS_URL as before.
    """
    host = urlsplit(url).netloc
    changed: dict[str, object] = {
        "loops_api_key": SecretStr(KEY),
        "loops_url": f"{url}/loops/api",
        "posthog_api_key": SecretStr("phc_sandbox"),
        "posthog_secret_key": SecretStr("phs_sandbox"),
        "posthog_personal_api_key": SecretStr("phx_sandbox"),
        "posthog_project_id": 1,
        "posthog_api_url": None,
        "posthog_host": f"{url}/posthog",
        "sentry_dsn": SecretStr(f"http://{KEY}@{host}/sentry/1"),
    }
    changed |= {f"loops_{name}_id": template_id(name) for name in settings.emails}
    if upstash:
        changed |= {
            "upstash_redis_rest_url": f"{url}/upstash",
            "upstash_redis_rest_token": SecretStr(KEY),
        }
    return settings.model_copy(update=changed)
