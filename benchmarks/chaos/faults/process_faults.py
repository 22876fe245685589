"""Faults of the product's processes: killed, frozen, with a wrong clock, of another release."""

import os
import random
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from benchmarks.chaos.faults.kind import FaultKind, alone
from benchmarks.chaos.system.processes import ProductProcesses
from benchmarks.chaos.system.trap import Trap

# The longest lease is 30 s: what a worker held must be with others before it wakes up.
FROZEN = 35.0
# Until then others may wait for what a frozen process had locked or in hand.
FREED_WITHIN = 15.0


@dataclass
class ProcessFaults:
    """The faults of the product's processes."""

    product: ProductProcesses
    trap: Trap
    choice: random.Random
    trap_lock: threading.Lock = field(default_factory=threading.Lock)
    clock_lock: threading.Lock = field(default_factory=threading.Lock)
    release_lock: threading.Lock = field(default_factory=threading.Lock)

    def kinds(self) -> Mapping[str, FaultKind]:
        """All of them by the name under which they are reported."""
        signals = {
            f"{process} {name}": FaultKind(partial(self.send_signal, process, number))
            for process in ("worker", "relay")
            for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM))
        }
        frozen = {
            # The shortest lease is 3 s: also among other faults it wakes up too late for that.
            "worker frozen": FaultKind(
                self.freeze_worker, 4, 7, measured=FROZEN, not_counted=FREED_WITHIN
            ),
            # Transactions that stand idle are ended after 10 s.
            "worker frozen in a transaction": FaultKind(
                self.freeze_in_transaction, 11, 13, measured=FROZEN, not_counted=FREED_WITHIN
            ),
        }
        beside = {
            "clock ahead": FaultKind(self.run_ahead, 3, 5),
            "next release beside": FaultKind(self.run_next_release, 3, 5),
        }
        return signals | frozen | beside

    @contextmanager
    def send_signal(self, kind: str, number: signal.Signals) -> Iterator[None]:
        """Send a signal to one process; the supervisor starts it again."""
        self.product.random_running(kind, self.choice).send_signal(number)
        yield

    @contextmanager
    def freeze_worker(self) -> Iterator[None]:
        """Stop a worker in the middle of whatever it does."""
        frozen = self.product.random_running("worker", self.choice)
        frozen.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            frozen.send_signal(signal.SIGCONT)

    @contextmanager
    def freeze_in_transaction(self) -> Iterator[None]:
        """Have a worker stop itself while it holds row locks in an open transaction."""
        with alone(self.trap_lock):
            pid = self.trap.catch()
            try:
                yield
            finally:
                with suppress(ProcessLookupError):  # killed by another fault
                    os.kill(pid, signal.SIGCONT)

    @contextmanager
    def run_ahead(self) -> Iterator[None]:
        """Have one worker more, whose clock is wrong."""
        with alone(self.clock_lock), self.product.with_clock_ahead():
            yield

    @contextmanager
    def run_next_release(self) -> Iterator[None]:
        """Have a relay and a worker of another release work beside ours, then none again."""
        with alone(self.release_lock), self.product.with_next_release():
            yield
