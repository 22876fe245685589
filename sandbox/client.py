"""The client of the sandbox's admin API: reads what the doubles were sent, and sets faults."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

TIMEOUT = 120.0  # seconds; after a long benchmark the state is a lot of JSON


class SandboxClient:
    """Controls the sandbox at `url`, from any process.

    Every method raises httpx.HTTPStatusError where the sandbox refuses the request, and
    httpx.TransportError where it does not run.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(
            base_url=f"{url}/sandbox",
            timeout=TIMEOUT,
            trust_env=False,  # the proxies of the environment do not lead to this machine
            # The sandbox closes idle connections after 5 s: a call could pick one just then.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def state(self, provider: str) -> Any:
        """What the double of a provider, named as in `sandbox.providers`, was sent, as JSON."""
        return self._request("GET", f"/state/{provider}")

    def sentry_envelopes(self) -> list[str]:
        """Every envelope that Sentry was sent, uncompressed."""
        found: list[str] = self._request("GET", "/sentry/raw")
        return found

    def set_fault(self, provider: str, kind: str, **options: Any) -> None:
        """Let a provider misbehave; `options` are the fields of `sandbox.faults.Fault`."""
        self._request("PUT", f"/faults/{provider}", {"kind": kind} | options)

    def clear_fault(self, provider: str) -> None:
        self._request("DELETE", f"/faults/{provider}")

    def faults_met(self, provider: str) -> int:
        """How many requests to a provider ran into a fault since the last reset."""
        met: dict[str, int] = self._request("GET", "/faults")["met"]
        return met.get(provider, 0)

    def advance_clock(self, *, hours: float) -> None:
        """Move the doubles' clock forward."""
        self._request("POST", "/clock", {"advance": hours * 3600})

    def set_flags(self, definitions: Sequence[Mapping[str, Any]]) -> None:
        """Replace the feature flags, in the form of PostHog's flag definitions."""
        self._request("PUT", "/flags", definitions)

    def set_loops_rate_limit(self, per_second: int) -> None:
        """Let Loops accept so many requests a second instead of 10, until the next reset."""
        self._request("PUT", "/limit", {"per_second": per_second})

    def set_stripe(self, **switches: Any) -> None:
        """Let Stripe behave otherwise; `switches` are those of `sandbox.stripe.switches`."""
        self._request("PUT", "/stripe/switches", switches)

    def await_webhooks(self) -> None:
        """Return once every webhook that is due was sent and answered."""
        self._request("POST", "/stripe/settled")

    def pay_checkout(self, session: str, card: str | None = "pm_card_visa", **more: Any) -> None:
        """Pay on a session's page, with a test payment method of Stripe's; None pays nothing.

        Raises httpx.HTTPStatusError 402 where the bank declines.
        """
        self._request("POST", f"/stripe/checkout/{session}/pay", {"method": card} | more)

    def decide_debit(self, intent: str, *, came: bool) -> None:
        """Let a bank debit be known to have come, or not, without waiting for days."""
        self._request("POST", f"/stripe/debits/{intent}", {"came": came})

    def dispute(self, charge: str, reason: str = "fraudulent", amount: int | None = None) -> str:
        """Let a customer dispute a charge; the dispute's id. Evidence decides it, as at Stripe."""
        body = {"charge": charge, "reason": reason, "amount": amount}
        return str(self._request("POST", "/stripe/disputes", body)["id"])

    def reset(self) -> None:
        """Forget everything that was sent, and end all faults."""
        self._request("POST", "/reset")

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        response = self.http.request(method, path, json=body)
        response.raise_for_status()
        return response.json()
