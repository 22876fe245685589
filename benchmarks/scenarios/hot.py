"""`hot`: whether one busy user, whose counters every event wants to write, slows things down."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import backlog
from benchmarks.figures import Figure, at_least
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class HotUser:
    """Events a second when all are one user's, and when they are many users'."""

    one: float
    many: float

    def figures(self) -> Sequence[Figure]:
        """Both, and their ratio."""
        return (
            Figure("hot", "one user", self.one, "events/s"),
            Figure("hot", "many users", self.many, "events/s"),
            Figure("hot", "one / many", self.one / self.many, "×", at_least(0.9)),
        )


def measure(servers: BenchServers, sizes: Sizes) -> HotUser:
    """Drain alternately, so that whatever else the machine does hits both alike."""
    with backlog.deploy_warm(servers, sizes) as deployment:
        many = [backlog.drain(deployment, sizes.events).rate]
        one = []
        for _ in range(sizes.rounds):
            one.append(backlog.drain(deployment, sizes.events, users=1).rate)
            many.append(backlog.drain(deployment, sizes.events).rate)
    return HotUser(median(one), median(many))
