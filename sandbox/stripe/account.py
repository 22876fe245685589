"""All that the double knows: one Stripe account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sandbox.clock import Clock
from sandbox.stripe.deliveries import Deliveries
from sandbox.stripe.errors import StripeError, missing
from sandbox.stripe.events import record
from sandbox.stripe.idempotency import Keys
from sandbox.stripe.objects import Object, blank, new_id, public
from sandbox.stripe.switches import Switches
from sandbox.stripe.timers import Timers

ACCOUNT_ID = "acct_sandbox000000"


class Account:
    """One Stripe account: its objects, its events, what is due later and how it behaves."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.deliveries = Deliveries(self)
        self.reset()

    def reset(self) -> None:
        """Forget everything. What is being sent goes on, to nobody's account."""
        wake = self.deliveries.wake
        self.deliveries = Deliveries(self)
        self.deliveries.wake = wake
        self.switches = Switches()
        self.random = Random(0)  # noqa: S311 - draws faults, no secrets
        self.objects: dict[str, dict[str, Object]] = {}
        self.events: list[Object] = []
        self.thin_events: list[Object] = []
        self.timers = Timers()
        # Reported usage by customer, and the last report under each identifier.
        self.usage: dict[str, list[Object]] = {}
        self.identifiers: dict[str, Object] = {}
        self.keys = Keys()
        self.requests = 0
        self.per_second: Counter[int] = Counter()
        # What the current request says of itself; its events carry it.
        self.request_id: str | None = None
        self.idempotency_key: str | None = None
        self.base_url = ""
        self.moment: int | None = None  # the time of the timer that runs, where one does

    def behave(self, switches: Switches) -> None:
        """Follow other switches from now on."""
        self.switches = switches
        self.random = Random(switches.seed)  # noqa: S311 - draws faults, no secrets
        self.deliveries.wake()

    def real_now(self) -> int:
        """The double's own clock, in seconds since the epoch."""
        return int(self.clock.now().timestamp())

    def now(self, test_clock: str | None = None) -> int:
        """The time for objects of a test clock, or of none."""
        if test_clock is not None:
            frozen: int = self.of("test_helpers.test_clock")[test_clock]["frozen_time"]
            return frozen
        return self.real_now() if self.moment is None else self.moment

    def time_of(self, owner: Object | None) -> int:
        """The time on the clock that an object lives on."""
        return self.now(clock_of(owner))

    def tick(self) -> None:
        """Do what became due on the double's own clock."""
        for due, action in self.timers.due(None, self.real_now()):
            self.moment = due
            with self.unasked():
                action()

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """What happens in the block is no request's doing."""
        request_id, self.request_id = self.request_id, None
        try:
            yield
        finally:
            self.request_id, self.moment = request_id, None

    def of(self, kind: str) -> dict[str, Object]:
        return self.objects.setdefault(kind, {})

    def add(self, kind: str, owner: Object | None = None, **fields: Any) -> Object:
        """A new object, on the clock of its owner."""
        fields.setdefault("id", new_id(kind))
        made = blank(kind)
        made |= {"created": self.time_of(owner), "livemode": self.switches.livemode} | fields
        self.of(kind)[made["id"]] = made
        return made

    def get(self, kind: str, id_: str, param: str = "id") -> Object:
        """Raises StripeError where there is no such object."""
        found = self.of(kind).get(id_)
        if found is None:
            raise missing(kind.rpartition(".")[2], id_, param)
        return found

    def live(self, kind: str, id_: str, param: str = "id") -> Object:
        """An object that was not deleted. Raises StripeError."""
        found = self.get(kind, id_, param)
        if found.get("deleted"):
            raise missing(kind, id_, param)
        return found

    def emit(self, type_: str, about: Object, previous: Object | None = None) -> None:
        """Record that something happened to an object, and send it to whoever listens."""
        record(self, type_, about, previous)
        if self.switches.twin_events:
            record(self, type_, about, previous)

    @contextmanager
    def change(self, about: Object, type_: str) -> Iterator[None]:
        """Tell of what the block changes in an object; of nothing, where it changes nothing."""
        before = public(about)
        yield
        after = public(about)
        if "updated" in about and before != after:
            about["updated"] = after["updated"] = self.time_of(about)
        previous = difference(before, after)
        if previous:
            self.emit(type_, about, previous)

    def count_request(self) -> None:
        """Raises StripeError 429."""
        self.requests += 1
        second = self.real_now()
        self.per_second[second] += 1
        limit = self.switches.per_second
        if limit is not None and self.per_second[second] > limit:
            raise StripeError(429, "Too many requests.", code="rate_limit")


def clock_of(owner: Object | None) -> str | None:
    """The id of the test clock that an object lives on."""
    return None if owner is None else owner.get("test_clock") or owner.get("_clock")


def difference(before: Object, after: Object) -> Object:
    """The old values of what changed, as in `previous_attributes`."""
    changed: Object = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        nested = isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list"
        changed[key] = difference(old, new) if nested and old and new else old
    return changed
