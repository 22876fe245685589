"""Which providers are configured, and whether they can be reached and take our keys."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import httpx

from cli.doctor.asking import PATIENCE, place
from cli.doctor.finding import Finding, Status
from cli.doctor.posthog import check_project_key, check_secret_key
from cli.doctor.sentry import check_dsn
from cli.doctor.upstash import check_upstash
from settings import Settings

BROKEN = 500


@dataclass(frozen=True)
class Provider:
    """`needs` tells which settings are there; `without` is what does not happen if they are not."""

    name: str
    needs: Mapping[str, object]
    without: str
    look: Callable[[], Finding]


def providers_of(settings: Settings) -> list[Provider]:
    """All providers, as the settings know them."""
    return [
        Provider(
            "Loops",
            {"LOOPS_API_KEY": settings.loops_api_key},
            "no emails are sent",
            partial(reach, "Loops", settings.loops_url),
        ),
        Provider(
            "PostHog",
            {"POSTHOG_API_KEY": settings.posthog_api_key},
            "there is no product analytics",
            partial(check_project_key, settings),
        ),
        Provider(
            "PostHog flags",
            {
                "POSTHOG_SECRET_KEY": settings.posthog_secret_key,
                "POSTHOG_API_KEY": settings.posthog_secret_key and settings.posthog_api_key,
            },
            "all feature flags are off",
            partial(check_secret_key, settings),
        ),
        Provider(
            "Sentry",
            {"SENTRY_DSN": settings.sentry_dsn},
            "errors stand in the logs alone",
            partial(check_dsn, settings),
        ),
        Provider(
            "Stripe",
            {
                "STRIPE_SECRET_KEY": settings.stripe_secret_key,
                "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
            },
            "nobody can pay, plans stay as they are",
            partial(reach, "Stripe", "https://api.stripe.com"),
        ),
        Provider(
            "Upstash",
            {
                "UPSTASH_REDIS_REST_URL": settings.upstash_redis_rest_url,
                "UPSTASH_REDIS_REST_TOKEN": settings.upstash_redis_rest_token,
            },
            "Redis is reached at REDIS_URL alone",
            partial(check_upstash, settings),
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
    return provider.look()


def reach(name: str, url: str) -> Finding:
    """Ask for nothing but an answer."""
    try:
        status = httpx.head(place(url), timeout=PATIENCE).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        hint = "Is the address right, and may this machine reach it?"
        detail = f"configured, but cannot be reached: {type(error).__name__}"
        return Finding(name, Status.HINT, detail, hint)
    if status >= BROKEN:
        detail = f"configured, but {place(url)} answers {status}"
        return Finding(name, Status.HINT, detail, "It seems to have an outage.")
    return Finding(name, Status.OK, f"configured; {place(url)} answers")
