"""Whether PostHog takes our keys."""

from cli.doctor.asking import ask, call, place
from cli.doctor.finding import Finding, Status
from settings import Settings, required

PROJECT, SECRET = "POSTHOG_API_KEY", "POSTHOG_SECRET_KEY"


def check_project_key(settings: Settings) -> Finding:
    """Ask what the flags are, and want none, which costs nothing."""
    host, key = settings.posthog_host, required(settings.posthog_api_key, PROJECT)
    body = {"api_key": key, "distinct_id": "insights-doctor", "disable_flags": True}

    def look() -> Finding:
        call("POST", host, "/flags/?v=2", json=body)
        return Finding("PostHog", Status.OK, f"{place(host)} takes {PROJECT}")

    hint = "Copy it from PostHog's project settings, and see whether POSTHOG_HOST is its region."
    return ask("PostHog", PROJECT, hint, look)


def check_secret_key(settings: Settings) -> Finding:
    """Fetch the definitions of all flags once.

    It is billed as ten requests (https://posthog.com/docs/feature-flags/cutting-costs).
    """
    host, key = settings.posthog_host, required(settings.posthog_api_key, PROJECT)
    headers = {"Authorization": f"Bearer {required(settings.posthog_secret_key, SECRET)}"}

    def look() -> Finding:
        call("GET", host, "/flags/definitions", params={"token": key}, headers=headers)
        return Finding("PostHog flags", Status.OK, f"{place(host)} takes {SECRET}")

    hint = "It must be a secret key (phs_) of this project, or a personal one (phx_) that may read."
    return ask("PostHog flags", SECRET, hint, look)
