"""(a) How fast a backlog is handled, beside others doing the same work.

Everybody's turn comes again in each round, and ours once more at the end, so that whatever else
the machine does hits all alike; medians are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import ours
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.ground import Ground
from benchmarks.rivals import plain_celery, plain_dramatiq, pure_sql
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class Drain:
    """Rates in events a second, each event handled by all four handlers."""

    ours: float
    dramatiq: float
    celery: float
    pure_sql: float
    pure_sql_without_lease: float
    commands_per_event: float

    def figures(self) -> Sequence[Figure]:
        """The rates, and ours in proportion."""
        return (
            Figure("drain", "insights", self.ours, "events/s"),
            Figure("drain", "plain dramatiq", self.dramatiq, "events/s"),
            Figure("drain", "Celery", self.celery, "events/s"),
            Figure("drain", "pure SQL", self.pure_sql, "events/s"),
            Figure("drain", "pure SQL without a lease", self.pure_sql_without_lease, "events/s"),
            Figure(
                "drain", "insights / dramatiq", self.ours / self.dramatiq, "×", at_least(20, 30)
            ),
            Figure("drain", "insights / Celery", self.ours / self.celery, "×"),
            Figure(
                "drain", "insights / pure SQL", self.ours / self.pure_sql, "×", at_least(0.4, 0.6)
            ),
            Figure("drain", "Redis commands", self.commands_per_event, "per event", at_most(0.2)),
        )


def measure(ground: Ground, sizes: Sizes) -> Drain:
    """Drain the same kind of backlog by every means."""
    users = sizes.users
    own, dramatiq, celery, leased, unleased = [], [], [], [], []
    for _ in range(sizes.rounds):
        own.append(drain_ours(ground, sizes))
        leased.append(pure_sql.drain(ground, sizes.events, users=users))
        dramatiq.append(plain_dramatiq.drain(ground, sizes.dramatiq_events, users=users))
        celery.append(plain_celery.drain(ground, sizes.celery_events, users=users))
        unleased.append(pure_sql.drain(ground, sizes.events, users=users, lease=False))
    if sizes.rounds > 1:
        own.append(drain_ours(ground, sizes))
    return Drain(
        median(each.rate for each in own),
        median(dramatiq),
        median(celery),
        median(leased),
        median(unleased),
        max(each.commands / each.events for each in own),
    )


def drain_ours(ground: Ground, sizes: Sizes) -> ours.Drained:
    """One drain by processes that nobody else's turn finds running."""
    with ours.plant(ground, sizes) as at:
        return ours.drain(at, sizes.events)
