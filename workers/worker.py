"""One worker process: consumes the queues of its handlers until it is asked to stop."""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

import structlog
from dramatiq.worker import Worker
from sqlalchemy.orm import Session, sessionmaker

from errors import InsightsError
from handlers import Handler
from services import Services
from services.sentry import Sentry
from workers.broker.actors import declare_actor
from workers.broker.connect import make_broker
from workers.garbage import freeze_startup_objects
from workers.lease_renewal import LeaseRenewal
from workers.metrics import Metrics
from workers.runner import Runner

log = structlog.get_logger()
FINISH_WITHIN = 25_000  # milliseconds: orchestrators kill after 30 s


class UnknownHandler(InsightsError):
    """Raised when a name is not that of a handler."""


def run_worker(
    handlers: Sequence[Handler],
    *,
    threads: int,
    sessions: "sessionmaker[Session]",
    services: Services,
    sentry: Sentry,
    broker_url: str,
    stopped: threading.Event,
) -> NoReturn:
    """Work until `stopped` is set; then finish what runs, give the rest back, and exit."""
    renewal = LeaseRenewal(sessions, shortest_lease(handlers) / 3)
    runner = Runner(sessions, services, renewal, Metrics(), sentry)
    broker = make_broker(broker_url, handlers)
    worker = Worker(broker, worker_threads=threads)
    for handler in handlers:
        declare_actor(handler, runner, broker)
    freeze_startup_objects()
    renewal.start()
    worker.start()
    log.info("worker_ready", handlers=[handler.name for handler in handlers], threads=threads)
    stopped.wait()
    for consumer in worker.consumers.values():
        consumer.pause()
    worker.stop(timeout=FINISH_WITHIN)
    renewal.give_back()
    broker.close()
    sentry.flush()
    log.info("worker_stopped")
    # Threads that did not finish in time are abandoned; what they held was just given back.
    os._exit(0)


def threads_of(handlers: Iterable[Handler], at_most: int | None = None) -> int:
    """How many batches of these handlers one process runs side by side, in all."""
    wanted = sum(handler.concurrency for handler in handlers)
    return wanted if at_most is None else min(wanted, at_most)


def shortest_lease(handlers: Iterable[Handler]) -> float:
    """How long the first of all leases lasts, in seconds."""
    return min(handler.lease.total_seconds() for handler in handlers)


def choose(
    handlers: Mapping[str, Handler], names: str | None = None, threads: int | None = None
) -> list[Handler]:
    """The handlers of a comma-separated list, or all, each on at most so many threads.

    Raises UnknownHandler.
    """
    wanted = [name.strip() for name in names.split(",")] if names else list(handlers)
    for name in wanted:
        if name not in handlers:
            raise UnknownHandler(f"No handler is called '{name}'. There are: {', '.join(handlers)}")
    found = [handlers[name] for name in wanted]
    if threads is None:
        return found
    return [replace(each, concurrency=min(each.concurrency, threads)) for each in found]
