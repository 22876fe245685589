"""Faults of providers: the chaos handlers' own double, and those of the sandbox."""

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from benchmarks.chaos.faults.kind import (
    CHAOS_PROVIDER_HANDLERS,
    LOOPS_HANDLERS,
    REDIS_HANDLERS,
    FaultKind,
    alone,
)
from benchmarks.chaos.system.provider_double import SLOW_ANSWER, Behaviour
from sandbox.client import SandboxClient

SANDBOX_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429},
    {"kind": "hang", "seconds": 2},
    {"kind": "drop"},
    {"kind": "lose"},
)


@dataclass
class ProviderFaults:
    """The faults of all providers. Those of the chaos handlers' provider happen one at a time."""

    url: str
    sandbox: SandboxClient
    over_rest: bool
    choice: random.Random
    lock: threading.Lock = field(default_factory=threading.Lock)

    def kinds(self) -> Mapping[str, FaultKind]:
        """All of them by the name under which they are reported."""
        chaos = {
            f"provider {behaviour}": FaultKind(
                partial(self.break_provider, behaviour), 2, 4, CHAOS_PROVIDER_HANDLERS
            )
            for behaviour in Behaviour
            if behaviour not in {Behaviour.NORMAL, Behaviour.SLOW}
        }
        # Longer than an answer takes, so that calls begin and end in it.
        slow = FaultKind(
            partial(self.break_provider, Behaviour.SLOW),
            SLOW_ANSWER + 1,
            SLOW_ANSWER + 3,
            CHAOS_PROVIDER_HANDLERS,
            measured=2 * SLOW_ANSWER,
        )
        sandbox = {"Loops": LOOPS_HANDLERS, "PostHog": ("analytics",), "Sentry": ()}
        if self.over_rest:
            sandbox["Upstash"] = REDIS_HANDLERS
        ill = {
            f"{name} ill": FaultKind(partial(self.break_sandbox, name.lower()), 1, 3, handlers)
            for name, handlers in sandbox.items()
        }
        return chaos | {"provider slow": slow} | ill

    @contextmanager
    def break_provider(self, behaviour: Behaviour) -> Iterator[None]:
        """Have the chaos handlers' provider behave badly."""
        with alone(self.lock):
            self.set_behaviour(behaviour)
            try:
                yield
            finally:
                self.set_behaviour(Behaviour.NORMAL)

    def set_behaviour(self, behaviour: Behaviour) -> None:
        httpx.post(f"{self.url}/behaviour", content=behaviour, timeout=10, trust_env=False)

    @contextmanager
    def break_sandbox(self, provider: str) -> Iterator[None]:
        """Have one of the sandbox's providers fail in one of its ways."""
        fault = self.choice.choice(SANDBOX_FAULTS)
        self.sandbox.set_fault(provider, **fault)
        try:
            yield
        finally:
            self.sandbox.clear_fault(provider)
