"""Which providers are configured, and whether they can be reached."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from settings import Settings
from workers.doctor.finding import Finding, Status

PATIENCE = 3.0
BROKEN = 500


@dataclass(frozen=True)
class Provider:
    """`needs` tells which settings are there; `without` is what does not happen if they are not."""

    name: str
    url: str
    needs: Mapping[str, object]
    without: str


def providers_of(settings: Settings) -> list[Provider]:
    """All providers, as the settings know them."""
    dsn = settings.sentry_dsn.get_secret_value() if settings.sentry_dsn else ""
    return [
        Provider(
            "Loops",
            settings.loops_url,
            {"LOOPS_API_KEY": settings.loops_api_key},
            "no emails are sent",
        ),
        Provider(
            "PostHog",
            settings.posthog_host,
            {"POSTHOG_API_KEY": settings.posthog_api_key},
            "there is no product analytics",
        ),
        Provider(
            "PostHog flags",
            settings.posthog_host,
            {
                "POSTHOG_SECRET_KEY": settings.posthog_secret_key,
                "POSTHOG_API_KEY": settings.posthog_secret_key and settings.posthog_api_key,
            },
            "all feature flags are off",
        ),
        Provider(
            "Sentry",
            dsn,
            {"SENTRY_DSN": settings.sentry_dsn},
            "errors stand in the logs alone",
        ),
        Provider(
            "Stripe",
            "https://api.stripe.com",
            {
                "STRIPE_SECRET_KEY": settings.stripe_secret_key,
                "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
            },
            "nobody can pay, plans stay as they are",
        ),
        Provider(
            "Upstash",
            settings.upstash_redis_rest_url or "",
            {
                "UPSTASH_REDIS_REST_URL": settings.upstash_redis_rest_url,
                "UPSTASH_REDIS_REST_TOKEN": settings.upstash_redis_rest_token,
            },
            "Redis is reached at REDIS_URL alone",
        ),
    ]


def check_providers(settings: Settings) -> Iterator[Finding]:
    """Look at all providers at the same time, in the order of their list."""
    providers = providers_of(settings)
    with ThreadPoolExecutor(len(providers)) as pool:
        yield from pool.map(check_provider, providers)


def check_provider(provider: Provider) -> Finding:
    """Configured, in part, or not at all; asked only if configured."""
    missing = [name for name, value in provider.needs.items() if not value]
    if len(missing) == len(provider.needs):
        return Finding(provider.name, Status.OFF, f"not configured: {provider.without}")
    if missing:
        hint = f"Set {' and '.join(missing)} too."
        return Finding(provider.name, Status.HINT, "configured in part", hint)
    return reach(provider)


def reach(provider: Provider) -> Finding:
    """Ask for nothing but an answer, and show no secret that the URL may hold."""
    try:
        parts = urlsplit(provider.url)
        port = f":{parts.port}" if parts.port else ""
        place = f"{parts.scheme}://{parts.hostname}{port}"
        status = httpx.head(place, timeout=PATIENCE).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        hint = "Is the address right, and may this machine reach it?"
        detail = f"configured, but cannot be reached: {type(error).__name__}"
        return Finding(provider.name, Status.HINT, detail, hint)
    if status >= BROKEN:
        detail = f"configured, but {place} answers {status}"
        return Finding(provider.name, Status.HINT, detail, "It seems to have an outage.")
    return Finding(provider.name, Status.OK, f"configured; {place} answers")
