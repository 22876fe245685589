"""Which providers are configured, and whether they answer and accept our keys."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import httpx

from cli.doctor.finding import Finding, Status
from cli.doctor.key_check import TIMEOUT, origin
from cli.doctor.provider_keys import (
    check_posthog_persons,
    check_posthog_project,
    check_posthog_secret,
    check_sentry,
    check_upstash,
)
from settings import Settings

SERVER_ERROR = 500  # and above


@dataclass(frozen=True)
class Provider:
    """`needs` holds the values of its settings; `without` is what does not happen without them."""

    name: str
    needs: Mapping[str, object]
    without: str
    check: Callable[[], Finding]


def providers_of(settings: Settings) -> list[Provider]:
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
            partial(check_posthog_project, settings),
        ),
        Provider(
            "PostHog flags",
            {
                "POSTHOG_SECRET_KEY": settings.posthog_secret_key,
                "POSTHOG_API_KEY": settings.posthog_secret_key and settings.posthog_api_key,
            },
            "all feature flags are off",
            partial(check_posthog_secret, settings),
        ),
        Provider(
            "PostHog persons",
            {
                "POSTHOG_PERSONAL_API_KEY": settings.posthog_personal_api_key,
                "POSTHOG_PROJECT_ID": settings.posthog_project_id,
            },
            "the persons of deleted users stay at PostHog; delete them there by hand",
            partial(check_posthog_persons, settings),
        ),
        Provider(
            "Sentry",
            {"SENTRY_DSN": settings.sentry_dsn},
            "errors are in the logs only",
            partial(check_sentry, settings),
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
            "Redis is reached at REDIS_URL only",
            partial(check_upstash, settings),
        ),
    ]


def check_providers(settings: Settings) -> Iterator[Finding]:
    """Check all providers at the same time; their findings come in the order of the list."""
    # Each may wait for its time-out: one after the other, they would take that long together.
    providers = providers_of(settings)
    with ThreadPoolExecutor(len(providers)) as pool:
        yield from pool.map(check_provider, providers)


def check_provider(provider: Provider) -> Finding:
    """Whether a provider is configured wholly, in part or not at all; called only if wholly."""
    missing = [name for name, value in provider.needs.items() if not value]
    if len(missing) == len(provider.needs):
        return Finding(provider.name, Status.OFF, f"not configured here: {provider.without}")
    if missing:
        hint = f"Set {' and '.join(missing)} too."
        return Finding(provider.name, Status.HINT, "configured in part", hint)
    return provider.check()


def reach(name: str, url: str) -> Finding:
    """Whether anything but a server error is answered at a URL; no key is sent."""
    try:
        status = httpx.head(origin(url), timeout=TIMEOUT).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        hint = "Is the address right, and may this machine reach it?"
        detail = f"configured, but cannot be reached: {type(error).__name__}"
        return Finding(name, Status.HINT, detail, hint)
    if status >= SERVER_ERROR:
        detail = f"configured, but {origin(url)} answers {status}"
        return Finding(name, Status.HINT, detail, "It seems to have an outage.")
    return Finding(name, Status.OK, f"configured; {origin(url)} answers")
