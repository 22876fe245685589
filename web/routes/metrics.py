"""`/metrics`: what Prometheus is told, of the processes and of what is owed in the database."""

import os
from collections.abc import Iterable

import structlog
from fastapi import APIRouter, Response
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine, text

from web.dependencies import Door, Injected
from web.problems import DATABASE_AWAY

log = structlog.get_logger()
router = APIRouter(tags=["operation"])
MOST = 10_000
GAUGES = {
    "backlog": f"Deliveries due and not leased: counted up to {MOST:,}, beyond that estimated",
    "oldest_due_seconds": "How long the oldest delivery of the backlog has been due",
    "dead_letters": f"Deliveries that are not tried again, counted up to {MOST:,}",
}

OWED = text("""
    SELECT h.name,
           (SELECT count(*) FROM (
               SELECT FROM insights.deliveries d
               WHERE d.handler = h.name AND d.died_at IS NULL AND d.due_at <= now() LIMIT :most
           ) due) AS due,
           coalesce((SELECT extract(epoch FROM now() - d.due_at)::float FROM insights.deliveries d
               WHERE d.handler = h.name AND d.died_at IS NULL AND d.due_at <= now()
               ORDER BY d.due_at LIMIT 1), 0) AS age,
           (SELECT count(*) FROM (
               SELECT FROM insights.deliveries d
               WHERE d.handler = h.name AND d.died_at IS NOT NULL LIMIT :most
           ) dead) AS dead
    FROM insights.handlers h
""")


# The planner's guess costs the same however much is owed.
GUESS = text("""
    EXPLAIN (FORMAT JSON) SELECT FROM insights.deliveries d
    WHERE d.handler = :handler AND d.died_at IS NULL AND d.due_at <= now()
""")


class OwedCollector(Collector):
    """What each handler owes, looked up at each scrape, at a cost that does not grow with it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def collect(self) -> Iterable[Metric]:
        """Three gauges per handler; none while the database is away."""
        up = GaugeMetricFamily("insights_database_up", "Whether PostgreSQL answers")
        try:
            with self.engine.connect() as connection:
                rows = connection.execute(OWED, {"most": MOST}).all()
                guesses = {row.name: guess(connection, row.name) for row in rows if row.due == MOST}
        except DATABASE_AWAY as error:
            log.warning("backlog_unknown", error=type(error).__name__)
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        due, age, dead = (gauge(name, meaning) for name, meaning in GAUGES.items())
        for row in rows:
            due.add_metric([row.name], guesses.get(row.name, row.due))
            age.add_metric([row.name], row.age)
            dead.add_metric([row.name], row.dead)
        return [up, due, age, dead]


def guess(connection: Connection, handler: str) -> int:
    """About how large a backlog is that is too large to be counted."""
    (plan,) = connection.execute(GUESS, {"handler": handler}).scalar_one()
    return max(MOST, int(plan["Plan"]["Plan Rows"]))


def gauge(name: str, meaning: str) -> GaugeMetricFamily:
    """A gauge per handler."""
    return GaugeMetricFamily(f"insights_{name}", meaning, labels=["handler"])


def registry_of(door: Door) -> CollectorRegistry:
    """What is owed, with what all processes counted that share PROMETHEUS_MULTIPROC_DIR."""
    registry = CollectorRegistry()
    registry.register(OwedCollector(door.engine))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


@router.get("/metrics", response_class=Response)
def tell_metrics(door: Injected) -> Response:
    """What Prometheus scrapes: per handler its backlog, its age and its dead letters."""
    own = b"" if "PROMETHEUS_MULTIPROC_DIR" in os.environ else generate_latest(REGISTRY)
    return Response(own + generate_latest(registry_of(door)), media_type=CONTENT_TYPE_LATEST)
