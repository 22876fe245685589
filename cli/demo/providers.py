"""Waits for what the providers' doubles should be sent, and returns it to the demo."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cli.demo.client import TIMEOUT, DemoFailed
from sandbox.client import SandboxClient

POLL_INTERVAL = 0.03  # seconds; a state is a lot of JSON, and its times are not printed
# Seconds to wait for both transactions of a trace: Sentry's SDK may drop one under load.
TRACE_TIMEOUT = 10.0


@dataclass(frozen=True)
class Doubles:
    """What the doubles were sent. Every method waits for it, and raises DemoFailed."""

    sandbox: SandboxClient

    def mail(self, template: str, email: str) -> dict[str, Any]:
        """The one email of a template to an address."""
        return self.wait_for_one(
            f"the email '{template}'",
            "loops",
            lambda state: [
                mail
                for mail in state["mails"]
                if (mail["template"], mail["email"]) == (template, email)
            ],
        )

    def captured(self, user_id: UUID, *names: str) -> list[str]:
        """The names of all analytics events of a user, once those named are among them."""
        found: list[str] = []
        for state in self.states("posthog", TIMEOUT):
            events = state["events"]
            found = [each["event"] for each in events if each["distinct_id"] == str(user_id)]
            if set(names) <= set(found):
                return found
        raise DemoFailed(f"Analytics has only {sorted(set(found))} of the user.")

    def error(self, event_id: UUID) -> dict[str, Any]:
        """The one error that an event caused."""
        return self.wait_for_one(
            "the error",
            "sentry",
            lambda state: [
                error
                for error in state["events"]
                if error["contexts"].get("delivery", {}).get("id") == str(event_id)
            ],
        )

    def trace(self, trace_id: str) -> list[str]:
        """The names of a trace's transactions: the HTTP API's and the handler's, or one of them."""
        names: list[str] = []
        for state in self.states("sentry", TRACE_TIMEOUT):
            names = [
                each["transaction"]
                for each in state["transactions"]
                if each["contexts"]["trace"]["trace_id"] == trace_id
            ]
            if len(names) > 1:
                return names
        if not names:
            raise DemoFailed(f"Sentry was sent nothing of the trace {trace_id}.")
        return names

    def wait_for_one(
        self, what: str, provider: str, choose: Callable[[Any], list[dict[str, Any]]]
    ) -> dict[str, Any]:
        """The only item that `choose` finds in a double's state."""
        for state in self.states(provider, TIMEOUT):
            found = choose(state)
            if len(found) > 1:
                raise DemoFailed(f"{what} came {len(found)} times.")
            if found:
                return found[0]
        raise DemoFailed(f"{what} did not come within {TIMEOUT:.0f} s.")

    def states(self, provider: str, timeout: float) -> Iterator[Any]:
        """The state of a double, again and again for `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            yield self.sandbox.state(provider)
            time.sleep(POLL_INTERVAL)
