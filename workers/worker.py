"""One worker process: consumes the queues of its handlers until it is asked to stop."""

import os
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn
from uuid import uuid4

import structlog
from dramatiq import Broker
from dramatiq.worker import Worker
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from errors import InsightsError
from handlers import Handler
from services import Services
from services.sentry import Sentry
from workers.broker.actors import declare_actor
from workers.broker.connect import make_broker
from workers.broker.local_bells import LocalBells
from workers.garbage import freeze_startup_objects
from workers.heartbeat import Heartbeat
from workers.in_hand import InHand
from workers.lookout import Lookout
from workers.metrics import Metrics
from workers.runner import Runner

log = structlog.get_logger()
FINISH_WITHIN = 25_000  # milliseconds: orchestrators kill after 30 s


class UnknownHandler(InsightsError):
    """Raised when a name is not that of a handler."""


def run_worker(  # noqa: PLR0913 (what a process is made of, all of them keywords)
    handlers: Sequence[Handler],
    *,
    threads: int,
    sessions: "sessionmaker[Session]",
    engine: Engine,
    notes: Engine,
    database_url: str,
    services: Services,
    sentry: Sentry,
    broker_url: str,
    stopped: threading.Event,
) -> NoReturn:
    """Work until `stopped` is set; then finish what runs, give the rest back, and exit."""
    process, name = uuid4(), f"{socket.gethostname()}:{os.getpid()}"
    in_hand = InHand(engine, notes, process)
    runner = Runner(sessions, services, in_hand, Metrics(), sentry)
    broker = make_broker(broker_url, handlers)
    worker = Worker(broker, worker_threads=threads)
    bells = LocalBells(worker)
    runner.ring_again = lambda handler: bells.ring(handler.name)
    for handler in handlers:
        declare_actor(handler, runner, broker)
    in_hand.begin(name)
    heartbeat = Heartbeat(database_url, process, name)
    ring, test = runner.ring_again, broker.test_connection
    lookout = Lookout(runner, handlers, ring, test, heartbeat.keep)
    freeze_startup_objects()
    worker.start()
    lookout.start()
    log.info("worker_ready", handlers=[handler.name for handler in handlers], threads=threads)
    stopped.wait()
    stop(worker, runner, broker)
    heartbeat.stop()
    sentry.flush()
    log.info("worker_stopped")
    # Threads that did not finish in time are abandoned; what they held was just given back.
    os._exit(0)


def stop(worker: Worker, runner: Runner, broker: Broker) -> None:
    """Finish what runs, and give back what cannot be finished."""
    runner.stopping.set()
    for consumer in worker.consumers.values():
        consumer.pause()
    worker.stop(timeout=FINISH_WITHIN)
    with suppress(DBAPIError, PoolTimeout):
        runner.in_hand.give_back_all()
    broker.close()


def threads_of(handlers: Iterable[Handler], at_most: int | None = None) -> int:
    """How many batches of these handlers one process runs side by side, in all."""
    wanted = sum(handler.concurrency for handler in handlers)
    return wanted if at_most is None else min(wanted, at_most)


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
