"""Everything that a run breaks. Each fault is a context manager: it lasts as long as its block."""

import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from benchmarks.chaos.faults.message_duplicator import MessageDuplicator
from benchmarks.chaos.observed.progress import ProgressWatcher
from benchmarks.chaos.system.processes import ProductProcesses
from benchmarks.chaos.system.provider_double import Behaviour
from benchmarks.chaos.system.servers import PrivateServers

# The handlers that wait while a provider is down: recovery is measured on them.
CHAOS_PROVIDER_HANDLERS = ("chaos_call", "chaos_batch", "chaos_work")
LOOPS_HANDLERS = ("emails", "emails_awaited", "contacts")
UPSTASH_HANDLERS = ("progress", "cache", "sessions", *LOOPS_HANDLERS)
SANDBOX_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429},
    {"kind": "hang", "seconds": 2},
    {"kind": "drop"},
    {"kind": "lose"},
)


@dataclass(frozen=True)
class FaultKind:
    """One way to break things, how long it lasts (s), and whose work stops (() for all)."""

    inject: Callable[[], AbstractContextManager[None]]
    shortest: float = 0.0
    longest: float = 0.0
    handlers: tuple[str, ...] = ()


@dataclass
class Faults:
    """All faults of one run. Those of one server happen one at a time, others side by side."""

    servers: PrivateServers
    product: ProductProcesses
    progress: ProgressWatcher
    duplicator: MessageDuplicator
    provider_url: str
    choice: random.Random
    postgres_lock: threading.Lock = field(default_factory=threading.Lock)
    redis_lock: threading.Lock = field(default_factory=threading.Lock)
    provider_lock: threading.Lock = field(default_factory=threading.Lock)

    def kinds(self) -> Mapping[str, FaultKind]:
        """All kinds by the name under which they are reported."""
        signals = {
            f"{process} {name}": FaultKind(partial(self.send_signal, process, number))
            for process in ("worker", "relay")
            for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM))
        }
        provider = {
            f"provider {behaviour}": FaultKind(
                partial(self.break_provider, behaviour), 2, 4, CHAOS_PROVIDER_HANDLERS
            )
            for behaviour in Behaviour
            if behaviour is not Behaviour.NORMAL
        }
        upstash = FaultKind(partial(self.break_sandbox, "upstash"), 1, 3, UPSTASH_HANDLERS)
        return (
            signals
            | provider
            | ({"Upstash ill": upstash} if self.servers.over_rest else {})
            | {
                "Loops ill": FaultKind(partial(self.break_sandbox, "loops"), 1, 3, LOOPS_HANDLERS),
                "PostHog ill": FaultKind(
                    partial(self.break_sandbox, "posthog"), 1, 3, ("analytics",)
                ),
                "Sentry ill": FaultKind(partial(self.break_sandbox, "sentry"), 1, 3),
                # The shortest lease is 3 s: a frozen worker wakes up after its leases have ended.
                "worker frozen": FaultKind(self.freeze_worker, 4, 7),
                "Redis flushed": FaultKind(self.flush_redis),
                "Redis away": FaultKind(self.stop_redis, 0.5, 2),
                "PostgreSQL crashed": FaultKind(self.crash_postgres, 0, 1),
                "messages twice": FaultKind(self.duplicate_messages, 1, 3),
            }
        )

    @contextmanager
    def send_signal(self, kind: str, number: signal.Signals) -> Iterator[None]:
        """Send a signal to one process; the supervisor starts it again."""
        self.product.random_running(kind, self.choice).send_signal(number)
        yield

    @contextmanager
    def freeze_worker(self) -> Iterator[None]:
        """Stop a worker in the middle of whatever it does, for longer than its leases last."""
        frozen = self.product.random_running("worker", self.choice)
        frozen.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            frozen.send_signal(signal.SIGCONT)

    @contextmanager
    def flush_redis(self) -> Iterator[None]:
        """Delete everything in Redis."""
        with self.redis_lock:
            self.progress.flush()
        yield

    @contextmanager
    def stop_redis(self) -> Iterator[None]:
        """Stop Redis, which has nothing on disk, and start it again empty."""
        with self.redis_lock:
            self.servers.valkey.stop()
            self.progress.listening.clear()
            try:
                yield
            finally:
                self.servers.valkey.start()
            # Under the lock: a flush would otherwise be announced before the watcher listens.
            self.progress.wait_until_listening()

    @contextmanager
    def crash_postgres(self) -> Iterator[None]:
        """Have PostgreSQL drop all connections at once without a checkpoint, and recover."""
        with self.postgres_lock:
            self.servers.postgres.stop(signal.SIGQUIT)
            try:
                yield
            finally:
                self.servers.postgres.start()

    @contextmanager
    def break_provider(self, behaviour: Behaviour) -> Iterator[None]:
        """Have the chaos handlers' provider behave badly."""
        with self.provider_lock:
            self.set_behaviour(behaviour)
            try:
                yield
            finally:
                self.set_behaviour(Behaviour.NORMAL)

    def set_behaviour(self, behaviour: Behaviour) -> None:
        url = f"{self.provider_url}/behaviour"
        httpx.post(url, content=behaviour, timeout=10, trust_env=False)

    @contextmanager
    def break_sandbox(self, provider: str) -> Iterator[None]:
        """Have one of the sandbox's providers fail in one of its ways."""
        fault = self.choice.choice(SANDBOX_FAULTS)
        self.servers.sandbox.set_fault(provider, **fault)
        try:
            yield
        finally:
            self.servers.sandbox.clear_fault(provider)

    @contextmanager
    def duplicate_messages(self) -> Iterator[None]:
        """Send earlier messages again, at once and once more a little later."""
        with self.redis_lock:
            self.duplicator.send_again()
        yield
        with self.redis_lock:
            self.duplicator.send_again()
