"""The counters and timings of workers and relays, for Prometheus."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

# Seconds, from a batch that only touches our database to a training of ten minutes.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)


class Metrics:
    """Counters of one process; several processes share a folder, see prometheus_client."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        deliveries = ("handler", "outcome")
        self.deliveries = Counter(
            "insights_deliveries", "Deliveries by outcome", deliveries, registry=registry
        )
        self.seconds = Histogram(
            "insights_handling_seconds",
            "Time to handle a batch",
            ("handler",),
            buckets=BUCKETS,
            registry=registry,
        )
        self.passes = Counter("insights_relay_passes", "Looks of the relay", registry=registry)
        self.leased = Counter(
            "insights_leased", "Deliveries that workers took", ("handler",), registry=registry
        )
        self.rung = Counter(
            "insights_bells", "Bells that the relay rang", ("handler",), registry=registry
        )

    def taken(self, handler: str, count: int) -> None:
        """Count deliveries that a worker took."""
        self.leased.labels(handler).inc(count)

    def done(self, handler: str, count: int) -> None:
        """Count deliveries that are done."""
        self.deliveries.labels(handler, "done").inc(count)

    def failed(self, handler: str, count: int) -> None:
        """Count attempts that failed or were put off."""
        self.deliveries.labels(handler, "failed").inc(count)

    def dead(self, handler: str, count: int) -> None:
        """Count deliveries that became dead letters."""
        self.deliveries.labels(handler, "dead").inc(count)

    def took(self, handler: str, seconds: float) -> None:
        """Count a batch, and how long it took."""
        self.seconds.labels(handler).observe(seconds)
