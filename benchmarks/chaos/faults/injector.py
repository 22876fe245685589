"""Injects faults on a schedule, and measures how soon after each one work is done again."""

import random
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.chaos.deliveries import count
from benchmarks.chaos.faults.kind import FaultKind
from benchmarks.errors import ChaosFailed, NotInjected
from runtime.assembly import Assembly

MEAN_INTERVAL = 1.6  # s between the beginnings of two faults, which may overlap
QUIET_START, QUIET_END = 1.0, 1.0  # s at both ends of a run in which no fault begins
LOOK_INTERVAL = 0.05  # s; how exact a recovery time is
LOOKING_SHARE = 0.2  # of the time, at most: counting many events takes longer
END_TIMEOUT = 90.0  # s; waiting for a process to come back may take 60 of them


@dataclass(frozen=True)
class ScheduledFault:
    """When a fault begins after the start of the run, and how long it lasts, both in seconds."""

    at: float
    kind: str
    duration: float


@dataclass
class InjectedFault:
    """When a fault began and how long it lasted, in seconds.

    `recovered` is how long after its end the next delivery was done; None while none was. A fault
    that was not `made` found nothing to break.
    """

    kind: str
    at: float
    lasted: float | None = None
    recovered: float | None = None
    made: bool = True


def schedule(
    choice: random.Random, kinds: Mapping[str, FaultKind], seconds: float
) -> Iterator[ScheduledFault]:
    """The faults of a run; every kind comes once before any comes again."""
    deck: list[str] = []
    at = QUIET_START
    while at < seconds - QUIET_END:
        if not deck:
            deck = choice.sample(sorted(kinds), len(kinds))
        kind = kinds[name := deck.pop()]
        yield ScheduledFault(at, name, choice.uniform(kind.shortest, kind.longest))
        at += MEAN_INTERVAL * choice.uniform(0.5, 1.5)


@dataclass
class FaultInjector:
    """Injects the faults of one run, each in a thread of its own.

    `ended` ends all faults early; `all_done` ends the waiting for a recovery, because nothing is
    left to be done.
    """

    kinds: Mapping[str, FaultKind]
    assembly: Assembly
    injected: list[InjectedFault] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    all_done: threading.Event = field(default_factory=threading.Event)

    def run(self, choice: random.Random, seconds: float) -> None:
        """Begin faults for so many seconds, each at its time."""
        began = time.monotonic()
        for planned in schedule(choice, self.kinds, seconds):
            self.ended.wait(max(0.0, began + planned.at - time.monotonic()))
            if self.errors:
                break
            injected = InjectedFault(planned.kind, round(time.monotonic() - began, 3))
            self.injected.append(injected)
            arguments = (self.kinds[planned.kind], planned.duration, injected)
            thread = threading.Thread(target=self.inject, args=arguments, name=planned.kind)
            self.threads.append(thread)
            thread.start()

    def inject(self, kind: FaultKind, duration: float, injected: InjectedFault) -> None:
        """Inject one fault, then wait for the first delivery that is done after its end."""
        began = time.monotonic()
        try:
            with kind.inject():
                self.ended.wait(duration)
        except NotInjected:
            injected.made, injected.lasted = False, 0.0
            return
        except Exception as error:  # noqa: BLE001 (raised as ChaosFailed in the main thread)
            self.errors.append(error)
            return
        injected.lasted = round(time.monotonic() - began, 3)
        injected.recovered = self.recovery_time(kind.concerned)

    def recovery_time(self, handlers: Iterable[str]) -> float | None:
        """Seconds until one more delivery is done; None if all were done before."""
        counted = list(handlers) or list(self.assembly.handlers)
        began, before = time.monotonic(), None
        while not self.all_done.is_set():
            asked = time.monotonic()
            counts = count(self.assembly.engine, self.assembly.handlers)
            now = None if counts is None else counts.total(counted)
            if before is None:
                before = now
            elif now is not None and now > before:
                return round(time.monotonic() - began, 3)
            time.sleep(max(LOOK_INTERVAL, (time.monotonic() - asked) / LOOKING_SHARE))
        return None

    def wait_until_ended(self) -> None:
        """Wait until every fault has ended. Raises ChaosFailed when one could not."""
        deadline = time.monotonic() + END_TIMEOUT
        while any(each.lasted is None for each in self.injected) and not self.errors:
            if time.monotonic() > deadline:
                raise ChaosFailed("A fault does not end.")
            time.sleep(LOOK_INTERVAL)
        if self.errors:
            raise ChaosFailed(f"A fault could not be made or ended: {self.errors[0]}")

    def stop(self) -> None:
        """End whatever still goes on, and wait for it."""
        self.ended.set()
        self.all_done.set()
        for thread in self.threads:
            thread.join()
