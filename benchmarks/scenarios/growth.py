"""`growth`: whether much that is owed, or much that has happened, slows things down or fills Redis.

What is handled of a million deliveries in a fixed time is compared with whole drains of fifty
thousand, before and after; drains beside millions of old events with drains without, likewise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import backlog
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import delete_all_events, insert_old_events
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class Growth:
    """Events a second, and megabytes that Redis took at most."""

    few_owed: float
    many_owed: float
    new_table: float
    old_table: float
    redis_few: float
    redis_many: float

    def figures(self) -> Sequence[Figure]:
        """Rates, ratios and memory."""
        owed = self.many_owed / self.few_owed
        old = self.old_table / self.new_table
        return (
            Figure("growth", "few deliveries owed", self.few_owed, "events/s"),
            Figure("growth", "many deliveries owed", self.many_owed, "events/s"),
            Figure("growth", "many / few owed", owed, "×", at_least(0.8)),
            Figure("growth", "no old events", self.new_table, "events/s"),
            Figure("growth", "many old events", self.old_table, "events/s"),
            Figure("growth", "many / no old events", old, "×", at_least(0.9)),
            Figure("growth", "Redis memory, few owed", self.redis_few, "MB"),
            Figure("growth", "Redis memory, many owed", self.redis_many, "MB", at_most(16)),
        )


def measure(servers: BenchServers, sizes: Sizes) -> Growth:
    """Drain alternately, so that whatever else the machine does hits both sides alike."""
    few_events = sizes.few_owed // len(DRAIN_HANDLERS)
    many_events = sizes.many_owed // len(DRAIN_HANDLERS)
    few, many, new, old = [], [], [], []
    with backlog.deploy_warm(servers, sizes) as deployment:
        for _ in range(sizes.rounds):
            few.append(backlog.drain(deployment, few_events))
            many.append(backlog.drain(deployment, many_events, within=sizes.draining_many))
            few.append(backlog.drain(deployment, few_events))
        new.append(backlog.drain(deployment, sizes.events))
        insert_old_events(deployment, sizes.old_events)
        old += [backlog.drain(deployment, sizes.events) for _ in range(sizes.rounds)]
        delete_all_events(deployment)
        new.append(backlog.drain(deployment, sizes.events))
    return Growth(
        median(each.rate for each in few),
        median(each.rate for each in many),
        median(each.rate for each in new),
        median(each.rate for each in old),
        max(each.megabytes for each in few),
        max(each.megabytes for each in many),
    )
