"""Injects one fault after another under a steady load, and measures throughput during each."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.chaos.deliveries import Counts, close_circuit_breakers, count
from benchmarks.chaos.faults.kind import FaultKind
from benchmarks.chaos.system.processes import ProductProcesses
from benchmarks.chaos.throughput import Throughput, Window, publishing_rate, throughput
from benchmarks.errors import NotInjected
from runtime.assembly import Assembly

BEFORE = 6.0  # s that are counted before each fault
SETTLE_TIMEOUT = 45.0  # s; a process is started again after up to 10, a backlog is worked off
ENDING = 2.0  # s that beginning and ending a fault take, besides what is counted
# Deliveries to be done, for each event that comes in a second: since 3 or 4 follow from an event,
# these are of the last second. When there are fewer, work is as steady as the load.
BACKLOG = 4.0
UNSTEADY = 0.15  # of the rate; a machine that is busy otherwise holds the publisher up
LOOK_INTERVAL = 0.25  # s
COUNT_INTERVAL = 0.1  # s
TOO_SHORT = "the run was too short for it"


@dataclass
class FaultSeries:
    """The faults that are measured, in a random order, as many as there is time for.

    `rate` is how many events are published a second all the while, `until` when that ends
    (monotonic seconds).
    """

    kinds: Mapping[str, FaultKind]
    product: ProductProcesses
    assembly: Assembly
    rate: float
    until: float
    measured: list[Throughput] = field(default_factory=list)

    def run(self, choice: random.Random) -> None:
        """Inject each fault once."""
        kinds = {name: kind for name, kind in self.kinds.items() if kind.measured is not None}
        for name in choice.sample(sorted(kinds), len(kinds)):
            self.measured.append(self.measure(name, kinds[name]))

    def measure(self, name: str, kind: FaultKind) -> Throughput:
        """Inject one fault, if there is still time for it."""
        duration = kind.measured or 0.0
        if time.monotonic() + BEFORE + duration + ENDING > self.until:
            return Throughput(name, unknown=TOO_SHORT)
        before = self.steady_window()
        if before is None:
            return Throughput(name, unknown=f"no steady work before it: {self.obstacle()}")
        if time.monotonic() + duration > self.until:
            return Throughput(name, unknown=TOO_SHORT)
        try:
            with kind.inject():
                time.sleep(kind.not_counted)
                during = self.window(duration - kind.not_counted)
        except NotInjected as reason:
            return Throughput(name, unknown=str(reason))
        return throughput(name, kind.concerned, before, during)

    def steady_window(self) -> Window | None:
        """A window in which what is published is done; None where that does not come in time."""
        deadline = min(self.until, time.monotonic() + SETTLE_TIMEOUT)
        while time.monotonic() < deadline:
            if not self.obstacle():
                window = self.window(BEFORE)
                if abs(publishing_rate(window) / self.rate - 1) < UNSTEADY and not self.obstacle():
                    return window
            # One that is still open is left over from the fault before.
            with self.assembly.engine.begin() as connection:
                close_circuit_breakers(connection)
            time.sleep(LOOK_INTERVAL)
        return None

    def obstacle(self) -> str:
        """What is missing, or is still to be done; nothing while work keeps pace with the load."""
        at_hand, missing = self.counts().at_hand, self.product.missing()
        if missing:
            return f"missing {', '.join(missing)}"
        if sum(at_hand.values()) < self.rate * BACKLOG:
            return ""
        return ", ".join(f"{number} of {name}" for name, number in at_hand.items() if number)

    def window(self, seconds: float) -> Window:
        """Count, and again after so many seconds."""
        first = self.counts()
        time.sleep(seconds)
        return first, self.counts()

    def counts(self) -> Counts:
        """Count as soon as the database answers."""
        while (counts := count(self.assembly.engine, self.assembly.handlers)) is None:
            time.sleep(COUNT_INTERVAL)
        return counts
