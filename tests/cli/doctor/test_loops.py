"""`insights doctor` on Loops: the key, the emails, the properties."""

from typing import Any

import pytest

from runtime.sandbox_settings import template_id
from tests.cli.conftest import Insights, doctor_findings
from tests.doubles import Doubles

NAMES = ("welcome", "training_complete", "training_failed", "limit_warning")


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, doubles: Doubles) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LOOPS_API_KEY", "a-key")
    monkeypatch.setenv("LOOPS_URL", f"{doubles.url}/loops/api")
    for name in (*NAMES, "subscription_confirmed"):
        monkeypatch.setenv(f"LOOPS_{name.upper()}_ID", template_id(name))
    return monkeypatch


def statuses(insights: Insights) -> dict[str, Any]:
    return {
        name: each["status"] for name, each in doctor_findings(insights).items() if "Loops" in name
    }


def test_all_is_well(insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles) -> None:
    for name in ("plan", "signupDate", "newsletter", "subscribedAt"):
        doubles.loops.properties[name] = "string"

    assert set(statuses(insights).values()) == {"ok"}


def test_a_refused_key_is_wrong(insights: Insights, configured: pytest.MonkeyPatch) -> None:
    configured.setenv("LOOPS_API_KEY", "wrong")

    assert statuses(insights)["Loops key"] == "wrong"


@pytest.mark.parametrize("value", ["", "clunknown"], ids=["missing", "unknown"])
def test_an_email_without_its_id_is_wrong_and_the_setting_is_named(
    value: str, insights: Insights, configured: pytest.MonkeyPatch
) -> None:
    configured.setenv("LOOPS_WELCOME_ID", value)

    found = doctor_findings(insights)["Loops emails"]

    assert found["status"] == "wrong"
    assert "LOOPS_WELCOME_ID" in found["detail"]


def test_properties_that_are_not_there_are_a_hint(
    insights: Insights, configured: pytest.MonkeyPatch
) -> None:
    found = doctor_findings(insights)["Loops properties"]

    assert found["status"] == "hint"
    assert "signupDate (date)" in found["detail"]


@pytest.mark.parametrize(("id_", "status"), [("clnews", "ok"), ("clother", "wrong")])
def test_a_list_of_the_newsletter_that_loops_does_not_know_is_wrong(
    id_: str, status: str, insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    doubles.loops.lists["clnews"] = "News"
    configured.setenv("LOOPS_NEWSLETTER_LIST_ID", id_)

    assert doctor_findings(insights)["Loops newsletter"]["status"] == status


def test_emails_are_looked_for_on_all_pages(
    insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    ours = dict(doubles.loops.templates)
    others = {f"clother{number}": ours[template_id("welcome")] for number in range(60)}
    doubles.loops.templates = others | ours

    assert statuses(insights)["Loops emails"] == "ok"


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/api-key", "Loops key"),
        ("/transactional-emails", "Loops emails"),
        ("/contacts/properties", "Loops properties"),
        ("/lists", "Loops newsletter"),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 429, 503])
def test_what_cannot_be_read_from_loops_now_is_a_hint(
    status: int, path: str, what: str, insights: Insights, configured: pytest.MonkeyPatch,
    doubles: Doubles,
) -> None:  # fmt: skip
    configured.setenv("LOOPS_NEWSLETTER_LIST_ID", "clnews")
    doubles.set_fault("loops", "status", status=status, path=path)

    found = doctor_findings(insights)[what]

    assert found["status"] == "hint"
    assert found["detail"] == f"cannot be checked now ({status})"
    assert found["hint"]


def test_loops_that_is_away_is_a_hint(
    insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    doubles.set_fault("loops", "drop")

    assert statuses(insights)["Loops key"] == "hint"


def test_what_is_not_loops_is_a_hint(
    insights: Insights, configured: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    configured.setenv("LOOPS_URL", f"{doubles.url}/posthog")
    assert statuses(insights)["Loops key"] == "hint"

    configured.setenv("LOOPS_URL", "http://[")
    assert statuses(insights)["Loops key"] == "hint"
