"""`drain`: how fast a backlog is handled, beside others doing the same work.

In each round every engine drains once, and ours once more at the end, so that whatever else the
machine does hits all alike; medians are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import backlog
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.rivals import plain_celery, plain_dramatiq, pure_sql
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes


@dataclass(frozen=True)
class Drain:
    """Rates in events a second, each event handled by all four handlers."""

    insights: float
    dramatiq: float
    celery: float
    pure_sql: float
    pure_sql_without_lease: float
    commands_per_event: float

    def figures(self) -> Sequence[Figure]:
        """The rates, and ours in proportion."""
        per_dramatiq, per_sql = self.insights / self.dramatiq, self.insights / self.pure_sql
        return (
            Figure("drain", "insights", self.insights, "events/s"),
            Figure("drain", "plain dramatiq", self.dramatiq, "events/s"),
            Figure("drain", "Celery", self.celery, "events/s"),
            Figure("drain", "pure SQL", self.pure_sql, "events/s"),
            Figure("drain", "pure SQL without a lease", self.pure_sql_without_lease, "events/s"),
            Figure("drain", "insights / dramatiq", per_dramatiq, "×", at_least(20, 30)),
            Figure("drain", "insights / Celery", self.insights / self.celery, "×"),
            Figure("drain", "insights / pure SQL", per_sql, "×", at_least(0.4, 0.6)),
            Figure("drain", "Redis commands", self.commands_per_event, "per event", at_most(0.2)),
        )


def measure(servers: BenchServers, sizes: Sizes) -> Drain:
    """Drain the same kind of backlog with every engine."""
    users = sizes.users
    insights, dramatiq, celery, leased, unleased = [], [], [], [], []
    for _ in range(sizes.rounds):
        insights.append(drain_insights(servers, sizes))
        leased.append(pure_sql.drain(servers, sizes.events, users=users))
        dramatiq.append(plain_dramatiq.drain(servers, sizes.dramatiq_events, users=users))
        celery.append(plain_celery.drain(servers, sizes.celery_events, users=users))
        unleased.append(pure_sql.drain(servers, sizes.events, users=users, lease=False))
    if sizes.rounds > 1:
        insights.append(drain_insights(servers, sizes))
    return Drain(
        median(each.rate for each in insights),
        median(dramatiq),
        median(celery),
        median(leased),
        median(unleased),
        max(each.commands / each.events for each in insights),
    )


def drain_insights(servers: BenchServers, sizes: Sizes) -> backlog.DrainResult:
    """One drain by processes that are stopped before the next engine drains."""
    with backlog.deploy_warm(servers, sizes) as deployment:
        return backlog.drain(deployment, sizes.events)
