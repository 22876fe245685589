"""Serves the numbers of one process, or of all those that share its folder, to Prometheus."""

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from settings import Settings

SHARED = "PROMETHEUS_MULTIPROC_DIR"


def serve_metrics(settings: Settings) -> None:
    """Serve `/metrics` on METRICS_PORT, if that is set."""
    if settings.metrics_port is None:
        return
    registry = REGISTRY
    if SHARED in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    start_http_server(settings.metrics_port, addr=settings.host, registry=registry)


def shared_folder(folder: Path) -> dict[str, str]:
    """The environment in which processes count into one folder, emptied of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.db"):
        with suppress(FileNotFoundError):
            stale.unlink()
    return {SHARED: str(folder.resolve())}
