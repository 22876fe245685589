"""What reached the providers' doubles, as the demo tells it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from cli.demo.client import POLL_INTERVAL, TIMEOUT, DemoFailed


@dataclass(frozen=True)
class Doubles:
    """The sandbox, seen from outside."""

    url: str

    def mail(self, template: str, email: str) -> dict[str, Any]:
        """The one email of a template to an address; waits for it."""
        return self.one(
            f"the email '{template}'",
            "loops",
            lambda told: [
                mail
                for mail in told["mails"]
                if (mail["template"], mail["email"]) == (template, email)
            ],
        )

    def captured(self, user_id: UUID, *names: str) -> list[str]:
        """What analytics knows of a person, once all of these events have arrived."""
        deadline = time.monotonic() + TIMEOUT
        found: list[str] = []
        while time.monotonic() < deadline:
            events = self.state("posthog")["events"]
            found = [each["event"] for each in events if each["distinct_id"] == str(user_id)]
            if set(names) <= set(found):
                return found
            time.sleep(POLL_INTERVAL * 10)
        raise DemoFailed(f"Analytics knows only {sorted(set(found))} of the person.")

    def error(self, event_id: UUID) -> dict[str, Any]:
        """The one error that an event caused; waits for it."""
        return self.one(
            "the error",
            "sentry",
            lambda told: [
                error
                for error in told["events"]
                if error["contexts"].get("delivery", {}).get("id") == str(event_id)
            ],
        )

    def trace(self, trace_id: str) -> list[str]:
        """The names of what a trace runs through; waits for the door and the handler.

        Where one of the two got lost on its way, as Sentry's SDK may, the other will do.
        """
        names: list[str] = []
        deadline = time.monotonic() + TIMEOUT / 3
        while len(names) < 2 and time.monotonic() < deadline:  # noqa: PLR2004
            time.sleep(POLL_INTERVAL * 10)
            names = [
                each["transaction"]
                for each in self.state("sentry")["transactions"]
                if each["contexts"]["trace"]["trace_id"] == trace_id
            ]
        if not names:
            raise DemoFailed(f"Nothing came of the trace {trace_id}.")
        return names

    def one(
        self, what: str, provider: str, choose: Callable[[Any], list[dict[str, Any]]]
    ) -> dict[str, Any]:
        """The only thing of a kind that a double was sent. Raises DemoFailed."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            found = choose(self.state(provider))
            if len(found) > 1:
                raise DemoFailed(f"{what} came {len(found)} times.")
            if found:
                return found[0]
            time.sleep(POLL_INTERVAL * 10)
        raise DemoFailed(f"{what} did not come within {TIMEOUT:.0f} s.")

    def state(self, provider: str) -> Any:
        """What a double remembers."""
        return httpx.get(f"{self.url}/sandbox/state/{provider}", timeout=10).json()
