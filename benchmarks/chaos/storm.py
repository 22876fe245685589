"""Breaks things on schedule, and measures how soon after each fault something is done again."""

import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.chaos.accounts import done
from benchmarks.chaos.errors import ChaosFailed
from benchmarks.chaos.faults import Faults, Kind
from benchmarks.chaos.schedule import Planned, schedule

LOOK_EVERY = 0.05
ENDS_WITHIN = 90.0


@dataclass
class Injected:
    """A fault: when it began and how long it lasted, in seconds.

    `recovered` is how long after its end the next delivery was done; None while none was.
    """

    kind: str
    at: float
    lasted: float | None = None
    recovered: float | None = None


@dataclass
class Storm:
    """The faults of one run, each in a thread of its own.

    `calm` ends them; `settled` says that nothing is left to do, so that nobody waits for it.
    """

    faults: Faults
    injected: list[Injected] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    calm: threading.Event = field(default_factory=threading.Event)
    settled: threading.Event = field(default_factory=threading.Event)

    def rage(self, choice: random.Random, seconds: float) -> None:
        """Begin faults for so many seconds, each at its time."""
        kinds, began = self.faults.kinds(), time.monotonic()
        for planned in schedule(choice, kinds, seconds):
            self.calm.wait(max(0.0, began + planned.at - time.monotonic()))
            if self.errors:
                break
            injected = Injected(planned.kind, round(time.monotonic() - began, 3))
            self.injected.append(injected)
            given = (kinds[planned.kind], planned, injected)
            thread = threading.Thread(target=self.inject, args=given, name=planned.kind)
            self.threads.append(thread)
            thread.start()

    def inject(self, kind: Kind, planned: Planned, injected: Injected) -> None:
        """Let one fault happen, then wait for the first delivery that is done after it."""
        began = time.monotonic()
        try:
            with kind.inject():
                self.calm.wait(planned.lasts)
        except Exception as error:  # noqa: BLE001 (told to the main thread)
            self.errors.append(error)
            return
        injected.lasted = round(time.monotonic() - began, 3)
        injected.recovered = self.recovery(kind.concerns)

    def recovery(self, handlers: Iterable[str]) -> float | None:
        """How long until one more delivery is done; None if all was done before."""
        engine = self.faults.ground.assembly.engine
        whose = list(handlers) or list(self.faults.ground.assembly.handlers)
        began, before = time.monotonic(), None
        while not self.settled.is_set():
            now = done(engine, whose)
            if before is None:
                before = now
            elif now is not None and now > before:
                return round(time.monotonic() - began, 3)
            time.sleep(LOOK_EVERY)
        return None

    def abate(self) -> None:
        """Wait until every fault has ended. Raises ChaosFailed when one could not."""
        deadline = time.monotonic() + ENDS_WITHIN
        while any(each.lasted is None for each in self.injected) and not self.errors:
            if time.monotonic() > deadline:
                raise ChaosFailed("A fault does not end.")
            time.sleep(LOOK_EVERY)
        if self.errors:
            raise ChaosFailed(f"A fault could not be made or ended: {self.errors[0]}")

    def end(self) -> None:
        """End whatever still goes on, and wait for it."""
        self.calm.set()
        self.settled.set()
        for thread in self.threads:
            thread.join()
