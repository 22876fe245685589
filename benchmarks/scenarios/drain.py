"""`drain`: how fast a backlog is handled, beside others doing the same work.

The rivals are at their best: as their guides recommend for throughput, each message one round trip
and one transaction of effect and dedupe. Every effect of everybody is verified. In each round every
engine drains once, and ours once more at the end, so that whatever else the machine does hits all
alike; medians are compared.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import backlog, product
from benchmarks.figures import Figure, Target, at_least, at_most
from benchmarks.rivals import (
    plain_celery,
    plain_dramatiq,
    plain_pgqueuer,
    pure_sql,
    queue_tables,
)
from benchmarks.servers import BenchServers
from benchmarks.sizes import Sizes

SYNTHETIC = "insights, four synthetic handlers"
CONSUMER = "consumer written by hand"
DRAMATIQ = "dramatiq"
PGQUEUER = "pgqueuer"
CELERY = "Celery"
PURE_SQL = "pure SQL"
ANALYTICS_OFF = "insights, product's handlers, analytics off"
ANALYTICS_ON = "insights, product's handlers, analytics on"

# Who is divided by whom, and what must come of it.
RATIOS: Sequence[tuple[str, str, str, Target | None]] = (
    ("insights / consumer written by hand", SYNTHETIC, CONSUMER, at_least(1.0, 1.3)),
    ("insights / dramatiq", SYNTHETIC, DRAMATIQ, at_least(12)),
    ("insights / pgqueuer", SYNTHETIC, PGQUEUER, None),
    ("insights / Celery", SYNTHETIC, CELERY, None),
    ("insights / pure SQL", SYNTHETIC, PURE_SQL, None),
    ("product, analytics off / synthetic", ANALYTICS_OFF, SYNTHETIC, at_least(0.7)),
    ("product, analytics on / synthetic", ANALYTICS_ON, SYNTHETIC, at_least(0.5)),
)


@dataclass(frozen=True)
class Drain:
    """Rates in events a second, each event handled by all who follow it."""

    rates: Mapping[str, float]
    commands_per_event: float

    def figures(self) -> Sequence[Figure]:
        """The rates, and how they compare."""
        rates, commands = self.rates, self.commands_per_event
        return (
            *(Figure("drain", name, rate, "events/s") for name, rate in rates.items()),
            *(
                Figure("drain", name, rates[one] / rates[other], "×", target)
                for name, one, other, target in RATIOS
            ),
            Figure("drain", "Redis commands", commands, "per event", at_most(0.2)),
        )


def measure(servers: BenchServers, sizes: Sizes) -> Drain:
    """Drain the same kind of backlog with every engine."""
    rates: defaultdict[str, list[float]] = defaultdict(list)
    commands = 0.0

    def drain_synthetic() -> float:
        nonlocal commands
        result = drain_insights(servers, sizes)
        commands = max(commands, result.commands / result.events)
        return result.rate

    engines = {SYNTHETIC: drain_synthetic} | others(servers, sizes)
    for _ in range(sizes.rounds):
        for name, drain in engines.items():
            rates[name].append(drain())
    if sizes.rounds > 1:
        rates[SYNTHETIC].append(drain_synthetic())
    return Drain({name: median(found) for name, found in rates.items()}, commands)


def others(servers: BenchServers, sizes: Sizes) -> dict[str, Callable[[], float]]:
    """What is compared with the synthetic handlers, those that are nearly as fast first."""
    all_events = {"events": sizes.events, "users": sizes.users}
    fewer = {"events": sizes.message_events, "users": sizes.users, "workers": sizes.workers}
    return {
        CONSUMER: lambda: queue_tables.drain(servers, workers=sizes.workers, **all_events),
        ANALYTICS_OFF: lambda: product.drain_without_analytics(servers, sizes).rate,
        ANALYTICS_ON: lambda: product.drain_with_analytics(servers, sizes).rate,
        PURE_SQL: lambda: pure_sql.drain(servers, **all_events),
        DRAMATIQ: lambda: plain_dramatiq.drain(servers, **fewer),
        PGQUEUER: lambda: plain_pgqueuer.drain(servers, **fewer),
        CELERY: lambda: plain_celery.drain(servers, **fewer),
    }


def drain_insights(servers: BenchServers, sizes: Sizes) -> backlog.DrainResult:
    """One drain by processes that are stopped before the next engine drains."""
    with backlog.deploy_warm(servers, sizes) as deployment:
        return backlog.drain(deployment, sizes.events)
