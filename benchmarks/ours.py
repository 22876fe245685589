"""Our own engine at work: a relay and workers as they run in production."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.books import balance
from benchmarks.errors import BenchFailed
from benchmarks.ground import Ground
from benchmarks.load import clear, is_owed, pause, publish_predictions, resume
from benchmarks.meter import Meter
from benchmarks.site import Site, site
from benchmarks.sizes import Sizes
from handlers import load_handlers
from runtime.supervisor import insights
from services.redis.doorbell import CHANNEL, RELAY

HANDLERS = ("usage", "bench_a", "bench_b", "bench_c")
WARM_UP = 1_000
LOOK_EVERY = 0.05
STALLED_AFTER = 600.0

LEFT = """
    SELECT count(*) FROM insights.deliveries
    WHERE CAST(:handler AS text) IS NULL OR handler = :handler
"""


@dataclass(frozen=True)
class Drained:
    """How fast a backlog was handled, and what it cost Redis."""

    events: float
    seconds: float
    commands: int
    megabytes: float

    @property
    def rate(self) -> float:
        """Events a second, each handled by all handlers."""
        return self.events / self.seconds


def product() -> list[str]:
    """The names of the product's own handlers, without those that only the bench has."""
    return list(load_handlers())


def start(at: Site, handlers: Iterable[str], *, workers: int) -> None:
    """Start one relay and some workers; return when all of them listen."""
    names = list(handlers)
    at.processes.start("relay", *insights("relay"))
    for number in range(workers):
        command = insights("worker", "--handlers", ",".join(names))
        at.processes.start(f"worker-{number + 1}", *command)
    bells = [CHANNEL + RELAY, f"{CHANNEL}queue:{names[0]}"]

    def all_listen() -> bool:
        heard = at.assembly.redis.pubsub_numsub(*bells)
        return [count for _, count in heard] == [1, workers]

    at.processes.wait_for("relay and workers to listen", all_listen)


@contextmanager
def plant(ground: Ground, sizes: Sizes) -> Iterator[Site]:
    """A database with relay and workers that have worked already, ready for drains."""
    with site(ground, HANDLERS, sizes.users) as at:
        pause(at)
        start(at, HANDLERS, workers=sizes.workers)
        drain(at, WARM_UP)
        yield at


def drain(
    at: Site, events: int, *, users: int | None = None, within: float | None = None
) -> Drained:
    """Publish with handlers paused, then measure from their release to the last delivery gone.

    Only so many of the plant's `users` take part. With `within`, what is handled in so many
    seconds is measured, however much is left.
    """
    pause(at)
    clear(at)
    publish_predictions(at, events, users)
    at.settle()
    drained = watch(at, events, within or STALLED_AFTER)
    balance(at, HANDLERS)
    return drained


def watch(at: Site, events: int, within: float, *, handler: str | None = None) -> Drained:
    """Release the handlers and measure until nothing is owed, or the time is over.

    With `handler`, only what that one owes is waited for.
    """
    meter = Meter(at.assembly.redis)
    started = time.perf_counter()
    resume(at)
    looks = 0
    while is_owed(at, handler) and time.perf_counter() - started < within:
        time.sleep(LOOK_EVERY)
        looks += 1
        if looks % 5 == 0:
            meter.look()
            at.processes.check()
    seconds = time.perf_counter() - started
    left = int(at.ask(LEFT, handler=handler)[0])
    if left and within == STALLED_AFTER:
        raise BenchFailed(f"After {within:g} s, {left} deliveries were still owed.")
    handled = events - left / len(HANDLERS)
    return Drained(handled, seconds, meter.commands, meter.megabytes)
