"""`insights providers`, `on` and `off`."""

import json
import re
from typing import Any

import pytest

from events import uuid7
from runtime.assembly import Assembly
from tests.cli.conftest import SECRET, Insights, flat
from tests.factories import prediction_made, publish_now, signed_up
from tests.pipeline import Pipeline


def state(insights: Insights, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(insights("providers", "--json").stdout)["providers"]
    (one,) = [each for each in found if each["name"] == name]
    return one


def handler_states(insights: Insights) -> dict[str, str]:
    lines = insights("handlers").stdout.splitlines()
    return {line.split()[0]: line.split()[4] for line in lines if len(line.split()) > 4}


def test_providers_are_shown_with_their_state_and_handlers(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTHOG_API_KEY", SECRET)
    insights("providers", "on", "posthog")

    shown = insights("providers").stdout

    rows = {line.split()[0]: flat(line) for line in shown.splitlines()}
    assert "undecided, so off no 0 contacts, emails, emails_awaited" in rows["loops"]
    assert "on yes 0 analytics" in rows["posthog"]
    assert SECRET not in shown
    loops = state(insights, "loops")
    assert (loops["is_on"], loops["key_here"]) == (None, False)
    assert loops["handlers"] == ["contacts", "emails", "emails_awaited"]


def test_handlers_are_shown_as_off_and_not_as_working(insights: Insights) -> None:
    states = handler_states(insights)
    insights("providers", "on", "loops")
    on = handler_states(insights)

    assert {states[name] for name in ("contacts", "emails", "emails_awaited", "analytics")} == {
        "off"
    }
    assert states["usage"] == "working"
    assert (on["emails"], on["analytics"]) == ("working", "off")
    entries = json.loads(insights("handlers", "--json").stdout)["handlers"]
    assert {each["name"] for each in entries if each["off"]} == {
        "analytics",
        "posthog_deletion",
    }


def test_switching_on_offers_the_history_to_the_right_handlers(
    insights: Insights, assembly: Assembly
) -> None:
    publish_now(assembly, signed_up(uuid7()))

    result = insights("providers", "on", "loops")

    printed = flat(result.stdout)
    assert "loops is on" in printed
    assert "This host has no LOOPS_API_KEY" in printed
    # Nothing that `emails` follows has happened.
    assert re.findall(r"insights replay --handler (\w+) --history", printed) == [
        "contacts",
        "emails_awaited",
    ]


def test_what_is_offered_begins_when_it_was_switched_off(
    insights: Insights, assembly: Assembly, pipeline: Pipeline
) -> None:
    insights("providers", "on", "posthog")
    publish_now(assembly, prediction_made(uuid7()))
    assert "analytics" in pipeline.rung()
    insights("providers", "off", "posthog", "--forget")
    publish_now(assembly, prediction_made(uuid7()), prediction_made(uuid7()))

    output = json.loads(insights("providers", "on", "posthog", "--json").stdout)

    assert output["history"] == {"analytics": 2}
    (command,) = output["commands"]
    result = insights(*command.split()[1:], "--yes")
    assert "2 deliveries are due now" in flat(result.stdout)
    assert "history" not in insights("providers", "on", "posthog").stdout


def test_what_is_owed_when_it_is_switched_off_waits_or_is_forgotten(
    insights: Insights, assembly: Assembly, pipeline: Pipeline
) -> None:
    insights("providers", "on", "posthog")
    publish_now(assembly, prediction_made(uuid7()))

    off = insights("providers", "off", "posthog")

    assert "1 deliveries that are owed already wait" in flat(off.stdout)
    assert "analytics" not in pipeline.rung()
    assert state(insights, "posthog")["owed"] == 1
    again = insights("providers", "off", "posthog", "--forget")
    assert "1 deliveries are forgotten" in flat(again.stdout)
    assert state(insights, "posthog")["owed"] == 0


def test_nothing_is_replayed_to_a_handler_that_is_off(
    insights: Insights, assembly: Assembly
) -> None:
    publish_now(assembly, prediction_made(uuid7()))

    for what in ("--history", "--dead"):
        result = insights("replay", "--handler", "analytics", what, "--yes")

        assert result.exit_code == 1
        assert "`insights providers on posthog`" in flat(result.stderr)


@pytest.mark.parametrize("command", ["on", "off"])
def test_an_unknown_provider_is_answered_with_a_list(insights: Insights, command: str) -> None:
    result = insights("providers", command, "loop")

    assert result.exit_code == 1
    assert "No provider is called 'loop'. There are: loops, posthog, posthog_persons." in flat(
        result.stderr
    )
