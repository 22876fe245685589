"""Leases due deliveries in batches and sends them to the queues that have room."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import structlog
from dramatiq.errors import BrokerError, ConnectionClosed
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from handlers import Handler
from models import leases, settling
from models.leases import Leased, Owed
from workers.broker.actors import Sender, message_of
from workers.metrics import Metrics

log = structlog.get_logger()

DEPTH = 16
AT_ONCE = 4
SHORTEST_WAIT, LONGEST_WAIT = 0.005, 1.0


class Relay:
    """Any number of relays may run; each delivery is leased by one of them at a time."""

    def __init__(
        self, engine: Engine, sender: Sender, handlers: Mapping[str, Handler], metrics: Metrics
    ) -> None:
        self.engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.sender = sender
        self.handlers = handlers
        self.metrics = metrics
        self.leases = {name: handler.lease for name, handler in handlers.items()}
        self.sent = dict.fromkeys(handlers, 0)
        self.broker_was_away = False

    def run(self, bell: threading.Event, stopped: threading.Event) -> None:
        """Pass whenever the bell rings, and by itself at least every second."""
        wait = LONGEST_WAIT
        while not stopped.is_set():
            bell.clear()
            try:
                more = self.relay()
            except (SQLAlchemyError, BrokerError) as away:
                log.warning("relay_waits", error=type(away).__name__)
                stopped.wait(SHORTEST_WAIT * 40)
                more = False
            wait = SHORTEST_WAIT if more else min(wait * 2, LONGEST_WAIT)
            if not more:
                bell.wait(wait)

    def relay(self) -> bool:
        """One pass; returns whether there is certainly more to do at once."""
        self.metrics.passes.inc()
        if self.broker_was_away:
            self.sent |= self.sender.depths(self.sent)
            self.broker_was_away = False
        rooms = self.rooms()
        if not rooms:
            return False
        with self.engine.connect() as connection:
            leased = leases.lease(connection, rooms, self.leases)
        counts: Counter[str] = Counter()
        for number, each in enumerate(leased):
            try:
                self.send(each)
            except ConnectionClosed:
                self.broker_was_away = True
                self.give_back(leased[number:])
                raise
            counts[each.handler] += len(each.owed)
        return any(count >= rooms[name] for name, count in counts.items())

    def rooms(self) -> dict[str, int]:
        """How many deliveries of each handler its queue has room for.

        Asks the broker only about queues that may be full by what this relay sent.
        """
        full = [name for name, sent in self.sent.items() if sent >= DEPTH]
        if full:
            self.sent |= self.sender.depths(full)
        return {
            name: min(DEPTH - sent, AT_ONCE) * self.handlers[name].batch
            for name, sent in self.sent.items()
            if sent < DEPTH
        }

    def send(self, leased: Leased) -> None:
        """Send what was leased for a handler. Raises ConnectionClosed."""
        name = leased.handler
        messages = [message_of(leased, part) for part in parts(leased, self.handlers[name].batch)]
        self.sender.send(name, messages)
        self.sent[name] += len(messages)
        self.metrics.leased.labels(name).inc(len(leased.owed))

    def give_back(self, leased: Sequence[Leased]) -> None:
        """What could not be sent is due again at once."""
        with self.engine.connect() as connection:
            for each in leased:
                settling.release(connection, each.handler, each.owed, again=each.again)


def parts(leased: Leased, size: int) -> Iterator[Sequence[Owed]]:
    """What goes into one message: a full batch.

    Whatever left no outcome goes alone; what had setbacks, in ever smaller company.
    """
    size = 1 if leased.again else max(1, size // 8**leased.setbacks)
    for start in range(0, len(leased.owed), size):
        yield leased.owed[start : start + size]
