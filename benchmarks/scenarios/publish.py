"""`publish`: how fast events are published, and how fast they are published and handled at once.

Publishing alone runs with no handler at work, and includes making the events and the fan-out to
four handlers. The sustained rate is that of a closed loop: a publisher goes at full speed but
waits while more than a few batches are owed, so the engine always has something to do and the
backlog cannot grow. What is handled between two snapshots, after some time to warm up, is what
the machine can keep up with for ever.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from subprocess import Popen
from typing import TypeAlias

from benchmarks import publisher
from benchmarks.backlog import is_owed, pause, resume
from benchmarks.deployment import Deployment, deploy, start_relay_and_workers
from benchmarks.figures import Figure
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import clear
from benchmarks.processes import read_line, write_line
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes
from benchmarks.verification import verify_effects

Publisher: TypeAlias = Popen[str]

BACKLOG_LIMIT = 20_000  # deliveries: ten batches of 500 for each of four handlers
WARM_UP_SHARE = 0.25  # of the measured time, before it
MEASURED_SHARE = 0.95  # so that publishing has not ended when the second snapshot is taken
# One statement, so that events and deliveries are of one snapshot.
COUNT_HANDLED = """
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


def measure(servers: BenchServers, sizes: Sizes) -> Publishing:
    """Publish in all these ways, each for a few seconds on empty tables."""
    with deploy(servers, DRAIN_HANDLERS, sizes.users) as deployment:
        pause(deployment)
        command = (sys.executable, "-m", publisher.__name__)
        publishers = [
            deployment.processes.start(f"publisher-{number}", *command, talks=True)
            for number in range(4)
        ]
        for each in publishers:
            read_line(each)
        return Publishing(
            publish_rate(deployment, sizes, publishers[:1], batch=1),
            publish_rate(deployment, sizes, publishers, batch=1),
            publish_rate(deployment, sizes, publishers[:1], batch=100),
            publish_rate(deployment, sizes, publishers[:1], batch=1_000),
            sustained_rate(deployment, sizes, publishers[0]),
        )


def publish_rate(
    deployment: Deployment, sizes: Sizes, publishers: Sequence[Publisher], *, batch: int
) -> float:
    """What some processes publish a second with no handler at work."""
    clear(deployment)
    deployment.analyze_and_checkpoint()
    for each in publishers:
        write_line(each, f"{batch} {sizes.publishing} 0")
    return sum(int(read_line(each)) for each in publishers) / sizes.publishing


def sustained_rate(deployment: Deployment, sizes: Sizes, publisher: Publisher) -> float:
    """What is handled a second while it is published, with a backlog that cannot grow."""
    clear(deployment)
    start_relay_and_workers(deployment, DRAIN_HANDLERS, workers=sizes.workers)
    resume(deployment)
    warm_up = sizes.sustaining * WARM_UP_SHARE
    write_line(publisher, f"100 {sizes.sustaining + warm_up} {BACKLOG_LIMIT}")
    time.sleep(warm_up)
    before, started = count_handled(deployment), time.perf_counter()
    time.sleep(sizes.sustaining * MEASURED_SHARE)
    after, ended = count_handled(deployment), time.perf_counter()
    read_line(publisher)
    deployment.processes.wait_for("the backlog's end", lambda: not is_owed(deployment))
    verify_effects(deployment, DRAIN_HANDLERS)
    return (after - before) / (ended - started)


def count_handled(deployment: Deployment) -> float:
    """How many events all handlers are done with, in one snapshot."""
    return float(deployment.query_one(COUNT_HANDLED, handlers=len(DRAIN_HANDLERS))[0])
