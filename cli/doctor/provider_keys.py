"""Whether PostHog, Sentry and Upstash accept our keys."""

from contextlib import closing
from urllib.parse import urlsplit
from uuid import UUID

from cli.doctor.finding import Finding, Status
from cli.doctor.key_check import TIMEOUT, call, check_key, origin
from services.posthog import Persons
from services.redis.self_test import refused_by
from services.redis.upstash import RestEndpoint, UpstashCommands
from settings import Settings, required

POSTHOG_PROJECT, POSTHOG_SECRET = "POSTHOG_API_KEY", "POSTHOG_SECRET_KEY"
POSTHOG_PERSONAL = "POSTHOG_PERSONAL_API_KEY"
UPSTASH = "UPSTASH_REDIS_REST_TOKEN"
NOBODY = UUID(int=0)  # no user has it
# A report that nothing was lost: no event, no issue, no quota.
SENTRY_ENVELOPE = b'{}\n{"type":"client_report"}\n{"discarded_events":[]}\n'


def check_posthog_project(settings: Settings) -> Finding:
    """Ask for the flags of a made-up user, and disable them all, which costs nothing."""
    host, key = settings.posthog_host, required(settings.posthog_api_key, POSTHOG_PROJECT)
    body = {"api_key": key, "distinct_id": "insights-doctor", "disable_flags": True}

    def request() -> Finding:
        call("POST", host, "/flags/?v=2", json=body)
        return Finding("PostHog", Status.OK, f"{origin(host)} takes {POSTHOG_PROJECT}")

    hint = "Copy it from PostHog's project settings, and see whether POSTHOG_HOST is its region."
    return check_key("PostHog", POSTHOG_PROJECT, hint, request)


def check_posthog_secret(settings: Settings) -> Finding:
    """Fetch the definitions of all flags once.

    It is billed as ten requests (https://posthog.com/docs/feature-flags/cutting-costs).
    """
    host, key = settings.posthog_host, required(settings.posthog_api_key, POSTHOG_PROJECT)
    headers = {"Authorization": f"Bearer {required(settings.posthog_secret_key, POSTHOG_SECRET)}"}

    def request() -> Finding:
        call("GET", host, "/flags/definitions", params={"token": key}, headers=headers)
        return Finding("PostHog flags", Status.OK, f"{origin(host)} takes {POSTHOG_SECRET}")

    hint = "It must be a secret key (phs_) of this project, or a personal one (phx_) that may read."
    return check_key("PostHog flags", POSTHOG_SECRET, hint, request)


def check_posthog_persons(settings: Settings) -> Finding:
    """Delete a person that nobody is: it shows whether the key may delete persons."""
    url, project = settings.posthog_api, settings.posthog_project_id or 0
    key = required(settings.posthog_personal_api_key, POSTHOG_PERSONAL)

    def request() -> Finding:
        with closing(Persons(url, project, key)) as persons:
            persons.delete([NOBODY])
        return Finding("PostHog persons", Status.OK, f"{origin(url)} takes {POSTHOG_PERSONAL}")

    hint = "It must be a personal key (phx_) with the scope person:write, of POSTHOG_PROJECT_ID."
    return check_key("PostHog persons", POSTHOG_PERSONAL, hint, request)


def check_sentry(settings: Settings) -> Finding:
    """Send an empty report.

    Sentry may accept one with a wrong key before it has looked the key up, but not for long.
    """
    dsn = required(settings.sentry_dsn, "SENTRY_DSN")

    def request() -> Finding:
        parts = urlsplit(dsn)
        folder, _, project = parts.path.rpartition("/")
        sender = f"sentry_version=7, sentry_client=insights-doctor/1, sentry_key={parts.username}"
        headers = {
            "Content-Type": "application/x-sentry-envelope",
            "X-Sentry-Auth": f"Sentry {sender}",
        }
        path = f"{folder}/api/{project}/envelope/"
        call("POST", origin(dsn), path, content=SENTRY_ENVELOPE, headers=headers)
        return Finding("Sentry", Status.OK, f"{origin(dsn)} takes SENTRY_DSN")

    hint = "Copy it again from the project's settings in Sentry, Client Keys."
    return check_key("Sentry", "SENTRY_DSN", hint, request)


def check_upstash(settings: Settings) -> Finding:
    """Try what services use there, by the client that they use: a read-only token may ping, too."""
    url, token = settings.upstash_redis_rest_url or "", settings.upstash_redis_rest_token
    hint = "Copy it from the database's page at Upstash, REST; the read-only one will not do."

    def request() -> Finding:
        endpoint = RestEndpoint(url, required(token, UPSTASH))
        with closing(UpstashCommands(endpoint, TIMEOUT)) as commands:
            refused = refused_by(commands)
        if refused:
            return Finding("Upstash", Status.WRONG, f"refuses: {'; '.join(refused)}", hint)
        return Finding("Upstash", Status.OK, f"{origin(url)} takes {UPSTASH}")

    return check_key("Upstash", UPSTASH, hint, request)
