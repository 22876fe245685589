"""`/metrics`: what Prometheus scrapes, of the processes and of the deliveries in the database."""

import os
from collections.abc import Iterable

import structlog
from fastapi import APIRouter, Response
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from models.deliveries.backlog import estimated_due, gauges
from web.dependencies import Dependencies, Injected
from web.error_handlers import DATABASE_DOWN

log = structlog.get_logger()
router = APIRouter(tags=["operation"])
MAX_COUNT = 10_000  # deliveries per handler; a scrape every few seconds must stay cheap
GAUGES = {
    "backlog": f"Deliveries due and not leased: counted up to {MAX_COUNT:,}, beyond that estimated",
    "oldest_due_seconds": "How long the oldest delivery of the backlog has been due",
    "dead_letters": f"Deliveries that are not tried again, counted up to {MAX_COUNT:,}",
}


class DeliveriesCollector(Collector):
    """Each handler's deliveries, counted at each scrape, at a cost that does not grow with them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def collect(self) -> Iterable[Metric]:
        """Three gauges per handler; none while the database is down."""
        up = GaugeMetricFamily("insights_database_up", "Whether PostgreSQL answers")
        try:
            with self.engine.connect() as connection:
                rows = gauges(connection, MAX_COUNT)
                estimates = {
                    row.handler: max(MAX_COUNT, estimated_due(connection, row.handler))
                    for row in rows
                    if row.due == MAX_COUNT
                }
        except DATABASE_DOWN as error:
            log.warning("backlog_unknown", error=type(error).__name__)
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        due, age, dead = (gauge(name, meaning) for name, meaning in GAUGES.items())
        for row in rows:
            due.add_metric([row.handler], estimates.get(row.handler, row.due))
            age.add_metric([row.handler], row.age_seconds)
            dead.add_metric([row.handler], row.dead)
        return [up, due, age, dead]


def gauge(name: str, meaning: str) -> GaugeMetricFamily:
    """A gauge per handler."""
    return GaugeMetricFamily(f"insights_{name}", meaning, labels=["handler"])


def registry_of(dependencies: Dependencies) -> CollectorRegistry:
    """The deliveries, and what all processes counted that share PROMETHEUS_MULTIPROC_DIR."""
    registry = CollectorRegistry()
    registry.register(DeliveriesCollector(dependencies.engine))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


@router.get("/metrics", response_class=Response)
def expose_metrics(dependencies: Injected) -> Response:
    """Metrics for Prometheus: per handler its backlog, its age and its dead letters."""
    # With several processes this one's counts are in the shared folder already.
    own = b"" if "PROMETHEUS_MULTIPROC_DIR" in os.environ else generate_latest(REGISTRY)
    return Response(
        own + generate_latest(registry_of(dependencies)), media_type=CONTENT_TYPE_LATEST
    )
