"""One worker process: consumes the queues of its handlers until it is asked to stop."""

import os
import signal
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog
from dramatiq.worker import Worker

from errors import InsightsError
from handlers import Handler
from workers.assembly import Assembly
from workers.broker import declare_actor, make_broker
from workers.garbage import spare_what_stays
from workers.keeper import LeaseKeeper
from workers.metrics import Metrics
from workers.runner import Runner

log = structlog.get_logger()
FINISH_WITHIN = 25_000


class UnknownHandler(InsightsError):
    """Raised when a name is not that of a handler."""


def run_worker(assembly: Assembly, chosen: Iterable[Handler]) -> None:
    """Work until SIGTERM or SIGINT; then finish what runs, give the rest back, and end."""
    stopped = stop_event()
    handlers = list(chosen)
    threads = sum(handler.concurrency for handler in handlers)
    assembly.connections = threads + 1
    keeper = LeaseKeeper(assembly.sessions, shortest_lease(handlers) / 3)
    runner = Runner(assembly.sessions, assembly.services, keeper, Metrics(), assembly.sentry)
    broker = make_broker(assembly.settings.broker, handlers)
    worker = Worker(broker, worker_threads=threads)
    for handler in handlers:
        declare_actor(handler, runner, broker)
    spare_what_stays()
    keeper.start()
    worker.start()
    log.info("worker_ready", handlers=[handler.name for handler in handlers], threads=threads)
    stopped.wait()
    for consumer in worker.consumers.values():
        consumer.pause()
    worker.stop(timeout=FINISH_WITHIN)
    keeper.release()
    broker.close()
    assembly.sentry.flush()
    log.info("worker_stopped")
    # Threads that did not finish in time are abandoned; what they held was just given back.
    os._exit(0)


def shortest_lease(handlers: Iterable[Handler]) -> float:
    """How long the first of all leases lasts, in seconds."""
    return min(handler.lease.total_seconds() for handler in handlers)


def stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set.

    Another thread sets it: a signal may arrive while this one holds the event's own lock.
    """
    stopped = threading.Event()

    def stop(*_: object) -> None:
        threading.Thread(target=stopped.set, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped


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
