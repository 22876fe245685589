"""What Prometheus scrapes, of the processes and of the deliveries in the database."""

import os
from collections.abc import Iterable

import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from models.database_errors import sqlstate_of, trouble_of
from models.deliveries.backlog import estimated_due, gauges
from models.providers import providers
from web.error_handlers import DATABASE_ERRORS
from web.readiness import STATEMENT_TIMEOUT

log = structlog.get_logger()
QUERY_CANCELED = "57014"  # SQLSTATE of a statement that took longer than STATEMENT_TIMEOUT
MAX_COUNT = 1_000  # deliveries per handler and state; a scrape takes a few milliseconds at most
GAUGES = {
    "backlog": f"Deliveries due and not leased: counted up to {MAX_COUNT:,}, beyond that estimated",
    "oldest_due_seconds": "How long the oldest delivery of the backlog has been due",
    "dead_letters": f"Deliveries that are not tried again, counted up to {MAX_COUNT:,}",
}


PROVIDER_ON = "Whether a provider is on; while it is not, nothing is owed to its handlers"


class DeliveriesCollector(Collector):
    """Each handler's deliveries, counted at each scrape, at a cost that does not grow with them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def collect(self) -> Iterable[Metric]:
        """Three gauges per handler and one per provider; none while the database is down."""
        up = GaugeMetricFamily("insights_database_up", "Whether PostgreSQL answers")
        try:
            with self.engine.begin() as connection:
                connection.execute(STATEMENT_TIMEOUT)
                rows, switches = gauges(connection, MAX_COUNT), providers(connection)
                estimates = {
                    row.handler: max(MAX_COUNT, estimated_due(connection, row.handler))
                    for row in rows
                    if row.due == MAX_COUNT
                }
        except DATABASE_ERRORS as error:
            if trouble_of(error) is None and not timed_out(error):
                raise
            log.warning("backlog_unknown", error=type(error).__name__)
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        due, age, dead = (gauge(name, meaning) for name, meaning in GAUGES.items())
        for row in rows:
            due.add_metric([row.handler], estimates.get(row.handler, row.due))
            age.add_metric([row.handler], row.age_seconds)
            dead.add_metric([row.handler], row.dead)
        on = GaugeMetricFamily("insights_provider_on", PROVIDER_ON, labels=["provider"])
        for provider in switches:
            on.add_metric([provider.name], int(bool(provider.is_on)))
        return [up, due, age, dead, on]


def timed_out(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and sqlstate_of(error) == QUERY_CANCELED


def gauge(name: str, meaning: str) -> GaugeMetricFamily:
    """A gauge per handler."""
    return GaugeMetricFamily(f"insights_{name}", meaning, labels=["handler"])


def scrape(engine: Engine) -> bytes:
    """The deliveries, and what all processes counted that share PROMETHEUS_MULTIPROC_DIR."""
    registry = CollectorRegistry()
    registry.register(DeliveriesCollector(engine))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        # With several processes this one's counts are in the shared folder already.
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)
