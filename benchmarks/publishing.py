"""(b) How fast events are published, and how fast they are published and handled for long.

Publishing alone runs with nobody at work, and includes making the events and the fan-out to
four handlers. The sustained rate is that of a closed loop: a publisher goes at full speed but
waits while more than a few batches are owed, so the engine always has something to do and the
backlog cannot grow; what is handled between two snapshots, after a while of warming up, is what
the machine can keep up with for ever.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import Popen
from typing import TypeAlias

from benchmarks import ours
from benchmarks.books import balance
from benchmarks.errors import BenchFailed
from benchmarks.figures import Figure
from benchmarks.ground import Ground
from benchmarks.load import clear, is_owed, pause, resume
from benchmarks.site import Site, site
from benchmarks.sizes import Sizes

Publisher: TypeAlias = Popen[str]

OWED_AT_MOST = 20_000
WARM_UP = 0.25
MOST = 0.95
HANDLED = """
    SELECT (SELECT count(*) FROM insights.events)
        - (SELECT count(*) FROM insights.deliveries) / CAST(:handlers AS double precision)
"""


@dataclass(frozen=True)
class Publishing:
    """Events a second."""

    single: float
    single_by_four: float
    by_100: float
    by_1000: float
    sustained: float

    def figures(self) -> Sequence[Figure]:
        """All of them."""
        return (
            Figure("publish", "one by one", self.single, "events/s"),
            Figure("publish", "one by one, 4 processes", self.single_by_four, "events/s"),
            Figure("publish", "100 at once", self.by_100, "events/s"),
            Figure("publish", "1,000 at once", self.by_1000, "events/s"),
            Figure("publish", "and handled, sustained", self.sustained, "events/s"),
        )


def measure(ground: Ground, sizes: Sizes) -> Publishing:
    """Publish in all these ways, each for a few seconds on empty tables."""
    with site(ground, ours.HANDLERS, sizes.users) as at:
        pause(at)
        command = (sys.executable, "-m", "benchmarks.publisher")
        publishers = [
            at.processes.start(f"publisher-{number}", *command, talks=True) for number in range(4)
        ]
        for publisher in publishers:
            hear(publisher)
        return Publishing(
            rate(at, sizes, publishers[:1], batch=1),
            rate(at, sizes, publishers, batch=1),
            rate(at, sizes, publishers[:1], batch=100),
            rate(at, sizes, publishers[:1], batch=1_000),
            sustained(at, sizes, publishers[0]),
        )


def rate(at: Site, sizes: Sizes, publishers: Sequence[Publisher], *, batch: int) -> float:
    """What some processes publish a second with nobody at work."""
    clear(at)
    at.settle()
    for publisher in publishers:
        ask(publisher, f"{batch} {sizes.publishing} 0")
    return sum(int(hear(publisher)) for publisher in publishers) / sizes.publishing


def sustained(at: Site, sizes: Sizes, publisher: Publisher) -> float:
    """What is handled a second while it is being published, with a backlog that cannot grow."""
    clear(at)
    ours.start(at, ours.HANDLERS, workers=sizes.workers)
    resume(at)
    warm_up = sizes.sustaining * WARM_UP
    ask(publisher, f"100 {sizes.sustaining + warm_up} {OWED_AT_MOST}")
    time.sleep(warm_up)
    before, started = handled(at), time.perf_counter()
    time.sleep(sizes.sustaining * MOST)
    after, ended = handled(at), time.perf_counter()
    hear(publisher)
    at.processes.wait_for("the backlog's end", lambda: not is_owed(at))
    balance(at, ours.HANDLERS)
    return (after - before) / (ended - started)


def ask(publisher: Publisher, what: str) -> None:
    """Have a publisher begin."""
    if publisher.stdin:
        publisher.stdin.write(f"{what}\n")
        publisher.stdin.flush()


def hear(publisher: Publisher) -> str:
    """The next line that a publisher says. Raises BenchFailed when it says nothing any more."""
    line = publisher.stdout.readline() if publisher.stdout else ""
    if not line:
        raise BenchFailed("A publisher ended by itself; see publisher-*.log")
    return line


def handled(at: Site) -> float:
    """How many events all handlers are done with, in one snapshot."""
    return float(at.ask(HANDLED, handlers=len(ours.HANDLERS))[0])
