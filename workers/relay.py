"""The relay: leases due deliveries in batches and sends them to the queues that have room."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import structlog
from dramatiq.errors import BrokerError, ConnectionClosed
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from handlers import Handler
from models.deliveries.lease import Lease, LeasedBatch, lease, release
from workers.broker.actors import message_of
from workers.broker.connect import Sender
from workers.metrics import Metrics

log = structlog.get_logger()

# Messages in a handler's queue at most: enough that no worker waits for the relay, few enough that
# a flush of Redis delays little and that a backlog of millions stays in PostgreSQL.
QUEUE_BOUND = 16
BATCHES_PER_PASS = 4  # of one handler, so that one pass leases in milliseconds
# Seconds between passes: shortest while there is work, doubling while there is none. Publishers
# ring, so that the longest wait is met by plain SQL alone.
SHORTEST_WAIT, LONGEST_WAIT = 0.005, 0.2
WAIT_AFTER_FAILURE = 0.2  # seconds, while the database or the broker is away
SHRINK_BY = 8  # per setback: a batch of 500 is tried as 500, 62, 7 and 1


class Relay:
    """Any number of relays may run; each delivery is leased by one of them at a time."""

    def __init__(
        self, engine: Engine, sender: Sender, handlers: Mapping[str, Handler], metrics: Metrics
    ) -> None:
        self.engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.sender = sender
        self.handlers = handlers
        self.metrics = metrics
        self.durations = {name: handler.lease for name, handler in handlers.items()}
        self.sent = dict.fromkeys(handlers, 0)
        self.broker_was_away = False

    def run(self, bell: threading.Event, stopped: threading.Event) -> None:
        """Pass whenever the doorbell rings, and at least every 200 ms: SQL rings nothing."""
        wait = LONGEST_WAIT
        while not stopped.is_set():
            # Cleared before the pass: a ring during it leads to another one.
            bell.clear()
            try:
                more = self.relay()
            except (SQLAlchemyError, BrokerError) as away:
                log.warning("relay_waits", error=type(away).__name__)
                stopped.wait(WAIT_AFTER_FAILURE)
                more = False
            wait = SHORTEST_WAIT if more else min(wait * 2, LONGEST_WAIT)
            if not more:
                bell.wait(wait)

    def relay(self) -> bool:
        """Do one pass; return whether there is certainly more to do at once."""
        self.metrics.passes.inc()
        if self.broker_was_away:
            self.sent |= self.sender.depths(self.sent)
            self.broker_was_away = False
        rooms = self.rooms()
        if not rooms:
            return False
        with self.engine.connect() as connection:
            leased = lease(connection, rooms, self.durations)
        counts: Counter[str] = Counter()
        for number, each in enumerate(leased):
            try:
                self.send(each)
            except ConnectionClosed:
                self.broker_was_away = True
                self.give_back(leased[number:])
                raise
            counts[each.handler] += len(each.leases)
        return any(count >= rooms[name] for name, count in counts.items())

    def rooms(self) -> dict[str, int]:
        """How many deliveries of each handler its queue has room for.

        Asks the broker only about queues that may be full by what this relay sent.
        """
        full = [name for name, sent in self.sent.items() if sent >= QUEUE_BOUND]
        if full:
            self.sent |= self.sender.depths(full)
        return {
            name: min(QUEUE_BOUND - sent, BATCHES_PER_PASS) * self.handlers[name].batch
            for name, sent in self.sent.items()
            if sent < QUEUE_BOUND
        }

    def send(self, leased: LeasedBatch) -> None:
        """Send what was leased for a handler. Raises ConnectionClosed."""
        name = leased.handler
        messages = [message_of(leased, part) for part in parts(leased, self.handlers[name].batch)]
        self.sender.send(name, messages)
        self.sent[name] += len(messages)
        self.metrics.leased.labels(name).inc(len(leased.leases))

    def give_back(self, leased: Sequence[LeasedBatch]) -> None:
        """Make due again at once what could not be sent."""
        with self.engine.connect() as connection:
            for each in leased:
                release(connection, each.handler, each.leases, began_before=each.began_before)


def parts(leased: LeasedBatch, size: int) -> Iterator[Sequence[Lease]]:
    """Split what was leased into what goes into one message each: a full batch.

    What may have killed its process goes alone; what had setbacks, in ever smaller company.
    """
    size = 1 if leased.began_before else max(1, size // SHRINK_BY**leased.setbacks)
    for start in range(0, len(leased.leases), size):
        yield leased.leases[start : start + size]
