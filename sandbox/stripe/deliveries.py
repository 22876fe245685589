"""Webhooks: which event goes to which endpoint, when, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.stripe.objects import THIN_EVENT_TYPES, Object
from sandbox.stripe.switches import CURRENT_VERSION

if TYPE_CHECKING:
    from sandbox.stripe.account import Account

HOUR = 3600
# The gaps after which a webhook is sent again (https://docs.stripe.com/webhooks#retries): three
# tries within a few hours in a sandbox; in live mode for three days, ever less often.
RETRIES = {
    "sandbox": (HOUR, 3 * HOUR),
    "live": (300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, *(4 * (12 * HOUR,))),
}
# An endpoint that answered nothing well for so long is disabled.
DISABLED_AFTER = 3 * 24 * HOUR


@dataclass
class Delivery:
    """One event that one endpoint is owed. `due` is a time in seconds since the epoch."""

    event: Object
    endpoint: Object
    due: float
    order: int
    attempts: list[int] = field(default_factory=list)  # statuses; 0 where there was no answer
    state: str = "pending"  # then sending, and delivered, failed, lost or pending again

    def as_json(self) -> dict[str, Any]:
        return {
            "event": self.event["id"],
            "type": self.event["type"],
            "endpoint": self.endpoint["id"],
            "attempts": self.attempts,
            "state": self.state,
        }


class Deliveries:
    """All deliveries, in the order in which they were made."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.all: list[Delivery] = []
        self.pending: list[Delivery] = []
        self.sending = 0
        self.last_success: dict[str, int] = {}
        self.wake: Callable[[], None] = lambda: None  # set by whoever sends

    def endpoints(self) -> list[Object]:
        """The endpoints and destinations that receive something now."""
        account = self.account
        found = [*account.of("webhook_endpoint").values()]
        found += account.of("v2.core.event_destination").values()
        return [each for each in found if each["status"] == "enabled" and not each.get("deleted")]

    def wanted(self, type_: str) -> bool:
        """Whether anybody gets thin events of a type."""
        return any(
            each.get("event_payload") == "thin"
            and ({"*", type_} & set(each["enabled_events"]))
            and type_ in THIN_EVENT_TYPES
            for each in self.endpoints()
        )

    def announce(self, event: Object, only: Object | None = None) -> None:
        """Owe an event to every endpoint that wants it, or to one alone."""
        switches, random = self.account.switches, self.account.random
        now = self.account.clock.now().timestamp()
        for endpoint in self.endpoints():
            if endpoint is not only if only else not wants(endpoint, event):
                continue
            event["_endpoints"] = event.get("_endpoints", 0) + 1
            event["pending_webhooks"] = event.get("pending_webhooks", 0) + 1
            for _ in range(1 + switches.duplicates):
                due = now + switches.delay + switches.disorder * random.random()
                delivery = Delivery(event, endpoint, due, len(self.all))
                self.all.append(delivery)
                if random.random() < switches.loss:
                    delivery.state = "lost"
                else:
                    self.pending.append(delivery)
        self.wake()

    def due(self) -> list[Delivery]:
        """Take what is due, in the order in which it is to be sent."""
        switches = self.account.switches
        if switches.hold or not self.pending:
            return []
        now = self.account.clock.now().timestamp()
        found = [each for each in self.pending if each.due <= now]
        self.pending = [each for each in self.pending if each.due > now]
        found.sort(key=lambda each: (each.due, each.order))
        if switches.order == "reversed":
            found.reverse()
        elif switches.order == "shuffled":
            self.account.random.shuffle(found)
        for each in found:
            each.state = "sending"
        self.sending += len(found)
        return found

    def ended(self, delivery: Delivery, status: int) -> None:
        """Record an attempt, and let a failed one be due again while tries are left."""
        delivery.attempts.append(status)
        self.sending -= 1
        now = self.account.real_now()
        if 200 <= status < 300:  # noqa: PLR2004 - what counts as success
            delivery.state = "delivered"
            self.last_success[delivery.endpoint["id"]] = now
            delivery.event["pending_webhooks"] = max(0, delivery.event["pending_webhooks"] - 1)
            return
        gaps = RETRIES[self.account.switches.retries]
        if len(delivery.attempts) <= len(gaps):
            delivery.due = now + gaps[len(delivery.attempts) - 1]
            delivery.state = "pending"
            self.pending.append(delivery)
            return
        delivery.state = "failed"
        endpoint = delivery.endpoint
        if now - int(self.last_success.get(endpoint["id"]) or endpoint["_since"]) >= DISABLED_AFTER:
            endpoint["status"] = "disabled"

    def quiet(self) -> bool:
        """Whether nothing is due or being sent."""
        if self.sending:
            return False
        now = self.account.clock.now().timestamp()
        return not any(each.due <= now for each in self.pending)


def wants(endpoint: Object, event: Object) -> bool:
    """Whether an endpoint listens to an event's type, in the event's form."""
    form = "thin" if event["object"] == "v2.core.event" else "snapshot"
    if endpoint.get("event_payload", "snapshot") != form:
        return False
    types = endpoint["enabled_events"]
    return "*" in types or event["type"] in types


def version_for(account: Account, endpoint: Object) -> str:
    """The version in which an endpoint gets its events."""
    own = endpoint.get("api_version") or endpoint.get("snapshot_api_version")
    return account.switches.payload_version or own or CURRENT_VERSION


async def until_quiet(deliveries: Deliveries, seconds: float) -> bool:
    """Wait until nothing is due any more; False where it took too long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not deliveries.quiet():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True
