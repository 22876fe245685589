"""Leases due deliveries in batches and sends them to the queues that have room."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import structlog
from dramatiq.errors import BrokerError, ConnectionClosed
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from handlers import Handler
from models import leases, settling
from models.leases import Leased, Owed
from workers.broker import Sender, message_of
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

    def run(self, bell: threading.Event, stopped: threading.Event) -> None:
        """Pass whenever the bell rings, and by itself at least every second."""
        wait = LONGEST_WAIT
        while not stopped.is_set():
            bell.clear()
            try:
                more = self.relay()
            except (OperationalError, InterfaceError, BrokerError) as away:
                log.warning("relay_waits", error=type(away).__name__)
                stopped.wait(SHORTEST_WAIT * 40)
                more = False
            wait = SHORTEST_WAIT if more else min(wait * 2, LONGEST_WAIT)
            if not more:
                bell.wait(wait)

    def relay(self) -> bool:
        """One pass; returns whether there is certainly more to do at once."""
        self.metrics.passes.inc()
        rooms = self.rooms()
        if not rooms:
            return False
        with self.engine.connect() as connection:
            leased = leases.lease(connection, rooms, self.leases)
        by_handler = group(leased)
        for name, mine in by_handler.items():
            self.send(name, mine)
        return any(len(mine) >= rooms[name] for name, mine in by_handler.items())

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

    def send(self, name: str, leased: Sequence[Leased]) -> None:
        """Send what was leased for a handler; give it back at once if the broker is away."""
        messages = [message_of(name, part) for part in parts(leased, self.handlers[name].batch)]
        try:
            self.sender.send(name, messages)
        except ConnectionClosed:
            with self.engine.connect() as connection:
                owed = [Owed(each.event_id.hex, each.lease) for each in leased]
                settling.release(connection, name, owed)
            raise
        self.sent[name] += len(messages)
        self.metrics.leased.labels(name).inc(len(leased))


def group(leased: Sequence[Leased]) -> dict[str, list[Leased]]:
    """What was leased, by handler."""
    by_handler: dict[str, list[Leased]] = defaultdict(list)
    for each in leased:
        by_handler[each.handler].append(each)
    return by_handler


def parts(leased: Sequence[Leased], size: int) -> Iterator[Sequence[Leased]]:
    """What goes into one message: a full batch, but whatever left no outcome goes alone."""
    fresh = [each for each in leased if not each.again]
    for start in range(0, len(fresh), size):
        yield fresh[start : start + size]
    for each in leased:
        if each.again:
            yield [each]
