"""All that a run breaks. Each fault is a context manager: it lasts as long as its block."""

import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from benchmarks import doubles
from benchmarks.chaos.copier import Copier
from benchmarks.chaos.ground import Ground
from benchmarks.chaos.product import Product
from benchmarks.chaos.provider import Mood
from benchmarks.chaos.witness import Witness

OUTSIDE = ("chaos_call", "chaos_batch", "chaos_work")
"""The handlers that a provider's bad days concern."""


LOOPS = ("emails", "emails_awaited", "contacts")
REDIS = ("progress", "cache", "sessions", *LOOPS)
ILLNESSES: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429},
    {"kind": "hang", "seconds": 2},
    {"kind": "drop"},
    {"kind": "lose"},
)


@dataclass(frozen=True)
class Kind:
    """One way to break things, how long it lasts (s), and whose work it concerns (() for all)."""

    inject: Callable[[], AbstractContextManager[None]]
    shortest: float = 0.0
    longest: float = 0.0
    concerns: tuple[str, ...] = ()


@dataclass
class Faults:
    """Breaks one run. What concerns one server happens one at a time, all else at once."""

    ground: Ground
    product: Product
    witness: Witness
    copier: Copier
    provider_url: str
    choice: random.Random
    postgres: threading.Lock = field(default_factory=threading.Lock)
    redis: threading.Lock = field(default_factory=threading.Lock)
    provider: threading.Lock = field(default_factory=threading.Lock)

    def kinds(self) -> Mapping[str, Kind]:
        """All kinds by name. The shortest lease is 3 s: a frozen worker wakes after its end."""
        sent = {
            f"{process} {name}": Kind(partial(self.send, process, number))
            for process in ("worker", "relay")
            for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM))
        }
        bad_days = {
            f"provider {mood}": Kind(partial(self.bad_day, mood), 2, 4, OUTSIDE)
            for mood in Mood
            if mood is not Mood.WELL
        }
        upstash = Kind(partial(self.ill, "upstash"), 1, 3, REDIS)
        return (
            sent
            | bad_days
            | ({"Upstash ill": upstash} if self.ground.over_rest else {})
            | {
                "Loops ill": Kind(partial(self.ill, "loops"), 1, 3, LOOPS),
                "PostHog ill": Kind(partial(self.ill, "posthog"), 1, 3, ("analytics",)),
                "Sentry ill": Kind(partial(self.ill, "sentry"), 1, 3),
                "worker frozen": Kind(self.freeze, 4, 7),
                "Redis flushed": Kind(self.flush),
                "Redis away": Kind(self.stop_redis, 0.5, 2),
                "PostgreSQL crashed": Kind(self.crash_postgres, 0, 1),
                "messages twice": Kind(self.copies, 1, 3),
            }
        )

    @contextmanager
    def send(self, kind: str, number: signal.Signals) -> Iterator[None]:
        """Send a signal to one process; the supervisor starts it again."""
        self.product.victim(kind, self.choice).send_signal(number)
        yield

    @contextmanager
    def freeze(self) -> Iterator[None]:
        """Stop a worker in the middle of whatever it does, for longer than its leases last."""
        victim = self.product.victim("worker", self.choice)
        victim.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            victim.send_signal(signal.SIGCONT)

    @contextmanager
    def flush(self) -> Iterator[None]:
        """Have Redis forget everything."""
        with self.redis:
            self.witness.wipe()
        yield

    @contextmanager
    def stop_redis(self) -> Iterator[None]:
        """Stop Redis, which keeps nothing, and start it again."""
        with self.redis:
            self.ground.valkey.stop()
            self.witness.listening.clear()
            try:
                yield
            finally:
                self.ground.valkey.start()
            self.witness.wait()

    @contextmanager
    def crash_postgres(self) -> Iterator[None]:
        """Have PostgreSQL drop everything at once, and recover."""
        with self.postgres:
            self.ground.postgres.stop(signal.SIGQUIT)
            try:
                yield
            finally:
                self.ground.postgres.start()

    @contextmanager
    def bad_day(self, mood: Mood) -> Iterator[None]:
        """Have the provider behave badly."""
        with self.provider:
            self.tell(mood)
            try:
                yield
            finally:
                self.tell(Mood.WELL)

    @contextmanager
    def ill(self, provider: str) -> Iterator[None]:
        """Have one of the sandbox's providers misbehave in one of its ways."""
        doubles.break_down(self.ground.sandbox, provider, **self.choice.choice(ILLNESSES))
        try:
            yield
        finally:
            doubles.mend(self.ground.sandbox, provider)

    def tell(self, mood: Mood) -> None:
        """Tell the provider how to behave."""
        httpx.post(f"{self.provider_url}/mood", content=mood, timeout=10, trust_env=False)

    @contextmanager
    def copies(self) -> Iterator[None]:
        """Send messages again that were sent before, at once and once more a little later."""
        with self.redis:
            self.copier.deliver_again()
        yield
        with self.redis:
            self.copier.deliver_again()
