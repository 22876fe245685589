"""(c) How long after the commit of a training's news its watchers see it.

From the moment in which COMMIT has returned to the arrival of the message on the channel
`training:{id}`, both by the clock of the process that publishes and listens. Every event is of
another training, so each must be announced. Plain dramatiq is sent its message right after the
commit and makes the same write to Redis.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from sqlalchemy.event import listen

from benchmarks import ours
from benchmarks.figures import Figure, at_most, percentile
from benchmarks.ground import Ground
from benchmarks.rivals import plain_dramatiq
from benchmarks.site import Site, site
from benchmarks.sizes import Sizes
from events import TrainingProgressed, publish
from events.progress import progress_after_event, progress_key
from models.connections import session_factory
from services.redis.connections import connect_listener

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

WARM_UP_EVENTS = 25


@dataclass(frozen=True)
class Latency:
    """Milliseconds from commit to message, event by event."""

    ours: Sequence[float]
    dramatiq: Sequence[float]

    def figures(self) -> Sequence[Figure]:
        """The median, the worst of a hundred, the worst."""
        ours, dramatiq = self.ours, self.dramatiq
        return (
            Figure("latency", "insights, p50", percentile(ours, 50), "ms", at_most(12)),
            Figure("latency", "insights, p99", percentile(ours, 99), "ms", at_most(40)),
            Figure("latency", "insights, max", max(ours), "ms"),
            Figure("latency", "plain dramatiq, p50", percentile(dramatiq, 50), "ms"),
            Figure("latency", "plain dramatiq, p99", percentile(dramatiq, 99), "ms"),
            Figure("latency", "plain dramatiq, max", max(dramatiq), "ms"),
        )


class Watcher(threading.Thread):
    """Follows the channels of some trainings; notes when each message came."""

    def __init__(self, at: Site, prefix: str) -> None:
        super().__init__(daemon=True, name="watcher")
        self.client = connect_listener(at.ground.redis_url)
        self.line = self.client.pubsub()  # type: ignore[no-untyped-call]
        self.line.psubscribe(f"{progress_key(prefix)}*")
        self.line.get_message(timeout=5)
        self.stopped = threading.Event()
        self.came: dict[int, float] = {}

    def run(self) -> None:
        """Listen until stopped."""
        while not self.stopped.is_set():
            message = self.line.get_message(timeout=0.2)
            if message is not None and message["type"] == "pmessage":
                now = time.perf_counter()
                self.came[int(json.loads(message["data"])["message"])] = now
        self.line.close()
        self.client.close()


def measure(ground: Ground, sizes: Sizes) -> Latency:
    """One relay and one worker with all handlers, then one process of dramatiq."""
    with site(ground, ours.product()) as at:
        ours.start(at, ours.product(), workers=1)
        own = latencies(at, sizes, at.assembly.sessions, lambda _: None)
    with site(ground) as at:
        command = plain_dramatiq.command(plain_dramatiq.showing.__name__, processes=1)
        at.processes.start("dramatiq", *command)
        broker = plain_dramatiq.connect(ground.redis_url)

        def send(event: TrainingProgressed) -> None:
            plain_dramatiq.send(broker, plain_dramatiq.SHOW, *progress_after_event(event))

        plain = latencies(at, sizes, session_factory(at.assembly.engine), send)
        broker.close()
    return Latency(own, plain)


def latencies(
    at: Site,
    sizes: Sizes,
    sessions: "sessionmaker[Session]",
    send: Callable[[TrainingProgressed], None],
) -> list[float]:
    """Milliseconds from commit to message, of events at an even pace after some to warm up."""
    prefix = f"bench-{token_hex(4)}-"
    committed: list[float] = []
    listen(sessions, "after_commit", lambda _: committed.append(time.perf_counter()), insert=True)

    def tell() -> None:
        name = f"{prefix}{len(committed)}"
        event = TrainingProgressed(
            user_id=at.users[0], training_id=name, progress=50, message=str(len(committed))
        )
        with sessions.begin() as session:
            publish(session, event)
        send(event)

    watcher = Watcher(at, prefix)
    watcher.start()
    at.settle()
    try:
        for count in (WARM_UP_EVENTS, round(sizes.per_second * sizes.listening)):
            for _ in pace(count, sizes.per_second):
                tell()
            at.processes.wait_for("the last message", lambda: len(watcher.came) == len(committed))
    finally:
        watcher.stopped.set()
        watcher.join()
    measured = range(WARM_UP_EVENTS, len(committed))
    return [1000 * (watcher.came[n] - committed[n]) for n in measured]


def pace(count: int, per_second: int) -> Iterator[int]:
    """Count evenly in time."""
    started = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, started + number / per_second - time.perf_counter()))
        yield number
