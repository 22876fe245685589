"""Makes a backlog, releases it, and measures how fast the product's own engine drains it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import text

from benchmarks.deployment import Deployment, deploy, start_relay_and_workers
from benchmarks.errors import BenchFailed
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import clear, publish_predictions
from benchmarks.redis_meter import RedisMeter
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes
from benchmarks.verification import verify_effects

WARM_UP_EVENTS = 1_000  # handled before anything is measured: imports, connections, plans
LOOK_INTERVAL = 0.05  # s
LOOKS_PER_CHECK = 5  # memory and processes are looked at this much more seldom
STALLED_AFTER = 600.0  # s; no drain that makes progress takes as long

# The newest event is among the last to be handled: until it is, nothing else is looked at, since
# looking through what was handled would slow down what is measured. Names come as an array, so
# that the primary key (handler first) finds each delivery.
IS_OWED = """
    SELECT CASE WHEN EXISTS (
        SELECT FROM insights.delivery_states d
        WHERE d.handler = ANY (ARRAY(SELECT h.name FROM insights.handlers h))
          AND d.event_id = (SELECT e.id FROM insights.events e ORDER BY e.id DESC LIMIT 1)
          AND d.died_at IS NULL AND (CAST(:handler AS text) IS NULL OR d.handler = :handler)
    ) THEN true ELSE EXISTS (
        SELECT FROM insights.delivery_states d
        WHERE d.died_at IS NULL AND (CAST(:handler AS text) IS NULL OR d.handler = :handler)
    ) END
"""
# Only after the measurement: what was not handled in time.
COUNT_LEFT = """
    SELECT count(*) FROM insights.delivery_states d
    WHERE CAST(:handler AS text) IS NULL OR d.handler = :handler
"""


@dataclass(frozen=True)
class DrainResult:
    """How fast a backlog was handled, and the Redis commands and memory that it took."""

    events: float
    seconds: float
    commands: int
    megabytes: float

    @property
    def rate(self) -> float:
        """Events a second, each handled by all handlers."""
        return self.events / self.seconds


@contextmanager
def deploy_warm(servers: BenchServers, sizes: Sizes) -> Iterator[Deployment]:
    """A database with a relay and workers that have worked already, ready for drains."""
    with deploy(servers, DRAIN_HANDLERS, sizes.users) as deployment:
        pause(deployment)
        start_relay_and_workers(deployment, DRAIN_HANDLERS, workers=sizes.workers)
        drain(deployment, WARM_UP_EVENTS)
        yield deployment


def drain(
    deployment: Deployment, events: int, *, users: int | None = None, within: float | None = None
) -> DrainResult:
    """Publish with handlers paused, then measure from their release to the last delivery done.

    The events are of the first `users` users. With `within`, what is handled in so many seconds
    is measured, however much is left. Raises BenchFailed where effects were counted wrong.
    """
    pause(deployment)
    clear(deployment)
    publish_predictions(deployment, events, users)
    deployment.analyze_and_checkpoint()
    result = release_and_measure(deployment, events, within or STALLED_AFTER)
    verify_effects(deployment, DRAIN_HANDLERS)
    return result


def release_and_measure(
    deployment: Deployment,
    events: int,
    within: float = STALLED_AFTER,
    *,
    handler: str | None = None,
) -> DrainResult:
    """Resume the handlers and measure until no delivery is owed, or the time is over.

    With `handler`, only its deliveries are waited for. Raises BenchFailed after STALLED_AFTER.
    """
    meter = RedisMeter(deployment.assembly.redis)
    started = time.perf_counter()
    resume(deployment)
    looks = 0
    while is_owed(deployment, handler) and time.perf_counter() - started < within:
        time.sleep(LOOK_INTERVAL)
        looks += 1
        if looks % LOOKS_PER_CHECK == 0:
            meter.look()
            deployment.processes.check()
    seconds = time.perf_counter() - started
    left = int(deployment.query_one(COUNT_LEFT, handler=handler)[0])
    if left and within == STALLED_AFTER:
        raise BenchFailed(f"After {within:g} s, {left} deliveries were still owed.")
    handled = events - left / len(DRAIN_HANDLERS)
    return DrainResult(handled, seconds, meter.commands, meter.megabytes)


def pause(deployment: Deployment) -> None:
    """Have no handler begin anything."""
    with deployment.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET paused = true"))


def resume(deployment: Deployment) -> None:
    """Have all handlers begin at once."""
    with deployment.assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET paused = false"))
    deployment.assembly.doorbell.ring()


def is_owed(deployment: Deployment, handler: str | None = None) -> bool:
    """Whether any delivery is left, or one of a handler; dead letters do not count."""
    return bool(deployment.query_one(IS_OWED, handler=handler)[0])
