"""`insights doctor` on which providers are configured, and whether they accept our keys."""

from typing import Any

import pytest
from pydantic import SecretStr

from runtime.assembly import Assembly
from runtime.sandbox_settings import sandbox_settings
from tests.cli.conftest import SECRET, UNREACHABLE, Insights, doctor_findings, plain
from tests.doubles import Doubles

NAMES = ("PostHog", "PostHog flags", "PostHog persons", "Sentry", "Upstash")


KEYS = {
    "PostHog": "POSTHOG_API_KEY",
    "PostHog flags": "POSTHOG_SECRET_KEY",
    "PostHog persons": "POSTHOG_PERSONAL_API_KEY",
    "Sentry": "SENTRY_DSN",
    "Upstash": "UPSTASH_REDIS_REST_TOKEN",
}


OTHERS = ("POSTHOG_HOST", "POSTHOG_PROJECT_ID", "UPSTASH_REDIS_REST_URL")


@pytest.fixture
def configured(
    monkeypatch: pytest.MonkeyPatch, assembly: Assembly, doubles: Doubles
) -> pytest.MonkeyPatch:
    """PostHog, Sentry and Upstash, all well."""
    settings = sandbox_settings(assembly.settings, doubles.url)
    for name in (*KEYS.values(), *OTHERS):
        value: Any = getattr(settings, name.lower())
        monkeypatch.setenv(name, plain(value) if isinstance(value, SecretStr) else str(value))
    return monkeypatch


def test_providers_that_take_our_keys_are_well(
    insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    found = doctor_findings(insights)

    for name, key in KEYS.items():
        assert found[name]["status"] == "ok", found[name]
        assert found[name]["detail"] == f"{doubles.url} takes {key}"
    assert doubles.posthog.definitions_asked == 1
    assert doubles.posthog.received == []
    assert [item.type for item in doubles.sentry.items] == ["client_report"]


@pytest.mark.parametrize("name", ["PostHog", "PostHog flags", "PostHog persons", "Upstash"])
def test_a_key_that_is_refused_is_wrong_and_named(
    name: str, insights: Insights, configured: pytest.MonkeyPatch
) -> None:
    configured.setenv(KEYS[name], "wrong")

    result = insights("doctor")
    found = doctor_findings(insights)

    assert result.exit_code == 1
    assert found[name]["status"] == "wrong"
    assert found[name]["detail"].startswith(f"{KEYS[name]} is refused (")
    assert "401" in found[name]["detail"]
    assert found[name]["hint"]
    assert [each for each in NAMES if found[each]["status"] != "ok"] == [name]


@pytest.mark.parametrize("status", [401, 403])
def test_a_dsn_that_sentry_refuses_is_wrong(
    status: int, insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    doubles.set_fault("sentry", "status", status=status)

    sentry = doctor_findings(insights)["Sentry"]

    assert sentry["status"] == "wrong"
    assert sentry["detail"] == f"SENTRY_DSN is refused ({status})"
    assert sentry["hint"]


def test_a_token_of_upstash_that_may_only_read_is_wrong(
    insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    refusal = "NOPERM this user has no permissions to run the 'eval' command"
    doubles.set_fault("upstash", "status", status=400, message=refusal)

    result = insights("doctor")
    upstash = doctor_findings(insights)["Upstash"]

    assert result.exit_code == 1
    assert upstash["status"] == "wrong"
    assert refusal in upstash["detail"]
    assert "read-only" in upstash["hint"]


@pytest.mark.parametrize("provider", ["posthog", "sentry", "upstash"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_provider_with_an_outage_cannot_be_checked_now(
    status: int,
    provider: str,
    insights: Insights,
    configured: pytest.MonkeyPatch,
    doubles: Doubles,
) -> None:
    doubles.set_fault(provider, "status", status=status)

    found = doctor_findings(insights)

    for name in NAMES:
        if name.lower().startswith(provider):
            assert found[name]["status"] == "hint"
            assert found[name]["detail"].startswith("cannot be checked now (")
            assert str(status) in found[name]["detail"]
            assert found[name]["hint"]
        else:
            assert found[name]["status"] == "ok"


def test_a_provider_that_is_away_is_a_hint_and_shows_no_secret(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS.values():
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("POSTHOG_HOST", f"http://{UNREACHABLE}")
    monkeypatch.setenv("POSTHOG_PROJECT_ID", "1")
    monkeypatch.setenv("SENTRY_DSN", f"http://{SECRET}@{UNREACHABLE}/1")
    monkeypatch.setenv("UPSTASH_REDIS_REST_URL", f"http://{UNREACHABLE}")

    result = insights("doctor")
    found = doctor_findings(insights)

    assert result.exit_code == 0
    assert SECRET not in result.output
    for name in NAMES:
        assert found[name]["status"] == "hint"
        assert "ConnectError" in found[name]["detail"]


@pytest.mark.parametrize("url", ["http://[", "http://", "http://nowhere:port/"])
def test_an_address_that_is_none_is_a_hint(
    url: str, insights: Insights, configured: pytest.MonkeyPatch
) -> None:
    for name in ("POSTHOG_HOST", "SENTRY_DSN", "UPSTASH_REDIS_REST_URL"):
        configured.setenv(name, url)

    found = doctor_findings(insights)

    assert {found[name]["status"] for name in NAMES} == {"hint"}


def test_providers_that_are_not_configured_are_off_and_it_says_what_is_missing(
    insights: Insights,
) -> None:
    found = doctor_findings(insights)

    for name in ("Loops", "PostHog", "Sentry", "Stripe", "Upstash"):
        assert found[name]["status"] == "off"
    assert found["Loops"]["detail"] == "not configured here: no emails are sent"


def test_a_provider_that_is_configured_in_part_is_a_hint(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", SECRET)
    monkeypatch.setenv("POSTHOG_SECRET_KEY", SECRET)

    found = doctor_findings(insights)

    assert found["Stripe"]["hint"] == "Set STRIPE_WEBHOOK_SECRET too."
    assert found["PostHog flags"]["hint"] == "Set POSTHOG_API_KEY too."
