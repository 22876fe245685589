"""`latency`: how long after the commit of a training's event its watchers see the new state.

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

from benchmarks.deployment import (
    Deployment,
    deploy,
    product_handlers,
    start_relay_and_workers,
)
from benchmarks.figures import Figure, at_most, percentile
from benchmarks.rivals import plain_dramatiq
from benchmarks.servers import BenchServers
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

    insights: Sequence[float]
    dramatiq: Sequence[float]

    def figures(self) -> Sequence[Figure]:
        """The median, the worst of a hundred, the worst."""
        insights, dramatiq = self.insights, self.dramatiq
        return (
            Figure("latency", "insights, p50", percentile(insights, 50), "ms", at_most(12)),
            Figure("latency", "insights, p99", percentile(insights, 99), "ms", at_most(40)),
            Figure("latency", "insights, max", max(insights), "ms"),
            Figure("latency", "plain dramatiq, p50", percentile(dramatiq, 50), "ms"),
            Figure("latency", "plain dramatiq, p99", percentile(dramatiq, 99), "ms"),
            Figure("latency", "plain dramatiq, max", max(dramatiq), "ms"),
        )


class Watcher(threading.Thread):
    """Listens to the channels of some trainings; notes when the message of each number arrived."""

    def __init__(self, redis_url: str, prefix: str) -> None:
        super().__init__(daemon=True, name="watcher")
        self.client = connect_listener(redis_url)
        self.pubsub = self.client.pubsub()  # type: ignore[no-untyped-call]
        self.pubsub.psubscribe(f"{progress_key(prefix)}*")
        self.pubsub.get_message(timeout=5)
        self.stopped = threading.Event()
        self.arrived: dict[int, float] = {}

    def run(self) -> None:
        """Listen until stopped."""
        while not self.stopped.is_set():
            message = self.pubsub.get_message(timeout=0.2)
            if message is not None and message["type"] == "pmessage":
                now = time.perf_counter()
                self.arrived[int(json.loads(message["data"])["message"])] = now
        self.pubsub.close()
        self.client.close()


def measure(servers: BenchServers, sizes: Sizes) -> Latency:
    """One relay and one worker with all handlers, then one process of dramatiq."""
    with deploy(servers, product_handlers()) as deployment:
        start_relay_and_workers(deployment, product_handlers(), workers=1)
        insights = latencies(deployment, sizes, deployment.assembly.sessions, lambda _: None)
    with deploy(servers) as deployment:
        command = plain_dramatiq.command(plain_dramatiq.declare_show.__name__, processes=1)
        deployment.processes.start("dramatiq", *command)
        broker = plain_dramatiq.connect(servers.redis_url)

        def send(event: TrainingProgressed) -> None:
            plain_dramatiq.send(broker, plain_dramatiq.SHOW, *progress_after_event(event))

        # Sessions of its own: the product's would ring the doorbell after each commit.
        sessions = session_factory(deployment.assembly.engine)
        dramatiq = latencies(deployment, sizes, sessions, send)
        broker.close()
    return Latency(insights, dramatiq)


def latencies(
    deployment: Deployment,
    sizes: Sizes,
    sessions: "sessionmaker[Session]",
    send: Callable[[TrainingProgressed], None],
) -> list[float]:
    """Milliseconds from commit to message, of events at an even rate after some to warm up."""
    prefix = f"bench-{token_hex(4)}-"
    committed: list[float] = []
    # Inserted first, so that the clock is read before the product's own hook rings the doorbell.
    listen(sessions, "after_commit", lambda _: committed.append(time.perf_counter()), insert=True)

    def publish_next() -> None:
        number = len(committed)
        event = TrainingProgressed(
            user_id=deployment.users[0],
            training_id=f"{prefix}{number}",
            progress=50,
            message=str(number),
        )
        with sessions.begin() as session:
            publish(session, event)
        send(event)

    def all_arrived() -> bool:
        return len(watcher.arrived) == len(committed)

    watcher = Watcher(deployment.servers.redis_url, prefix)
    watcher.start()
    deployment.analyze_and_checkpoint()
    try:
        for count in (WARM_UP_EVENTS, round(sizes.per_second * sizes.listening)):
            for _ in evenly(count, sizes.per_second):
                publish_next()
            deployment.processes.wait_for("the last message", all_arrived)
    finally:
        watcher.stopped.set()
        watcher.join()
    measured = range(WARM_UP_EVENTS, len(committed))
    return [1000 * (watcher.arrived[n] - committed[n]) for n in measured]


def evenly(count: int, per_second: int) -> Iterator[int]:
    """Count at an even rate."""
    started = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, started + number / per_second - time.perf_counter()))
        yield number
