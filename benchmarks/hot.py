"""(f) Whether one busy user, whose counters everybody wants to write, slows things down."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import ours
from benchmarks.figures import Figure, at_least
from benchmarks.ground import Ground
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class Hot:
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


def measure(ground: Ground, sizes: Sizes) -> Hot:
    """Drain in turns."""
    with ours.plant(ground, sizes) as at:
        many = [ours.drain(at, sizes.events).rate]
        one = []
        for _ in range(sizes.rounds):
            one.append(ours.drain(at, sizes.events, users=1).rate)
            many.append(ours.drain(at, sizes.events).rate)
    return Hot(median(one), median(many))
