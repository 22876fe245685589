"""A worker takes only what it has the key for, and switches on what nobody has decided about."""

import threading

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from models import providers
from runtime.assembly import Assembly, UnknownProvider
from runtime.providers import NoHandler, switch_on_in_background, with_key
from tests.fake_handlers import FakeEffect, external_handler
from tests.waiting import wait_until

EMAILS = external_handler(FakeEffect(), "emails", provider="loops")
ANALYTICS = external_handler(FakeEffect(), "analytics", provider="posthog")
PLAIN = external_handler(FakeEffect(), "plain")


def is_on(assembly: Assembly, name: str) -> bool | None:
    with assembly.engine.connect() as connection:
        return {each.name: each.is_on for each in providers.providers(connection)}[name]


def test_a_handler_whose_key_is_missing_is_left_to_others_and_logged_once() -> None:
    with capture_logs() as logs:
        assert with_key([EMAILS, PLAIN, ANALYTICS], {"posthog"}) == [PLAIN, ANALYTICS]

    (line,) = logs
    assert line["event"] == "handlers_without_key"
    assert (line["handlers"], line["missing"]) == (["emails"], ["LOOPS_API_KEY"])


def test_nothing_is_logged_where_no_key_is_missing() -> None:
    with capture_logs() as logs:
        assert with_key([EMAILS, PLAIN], {"loops"}) == [EMAILS, PLAIN]

    assert logs == []


def test_a_worker_that_could_do_nothing_does_not_start() -> None:
    with pytest.raises(NoHandler, match="emails need LOOPS_API_KEY"):
        with_key([EMAILS], set())


def test_a_worker_with_a_key_switches_its_provider_on(assembly_with_doubles: Assembly) -> None:
    with assembly_with_doubles.engine.begin() as connection:
        connection.execute(text("UPDATE insights.providers SET is_on = NULL"))
        providers.switch_off(connection, "posthog")

    switch_on_in_background(assembly_with_doubles, threading.Event())

    wait_until(lambda: is_on(assembly_with_doubles, "loops") is True)
    assert is_on(assembly_with_doubles, "posthog") is False


def test_a_handler_of_an_unknown_provider_stops_the_start(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = external_handler(FakeEffect(), "odd", provider="pigeons")
    monkeypatch.setattr("runtime.assembly.load_handlers", lambda *_: {"odd": odd})

    with pytest.raises(UnknownProvider, match="'odd' names the provider 'pigeons'"):
        Assembly(assembly.settings).handlers  # noqa: B018
