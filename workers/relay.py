"""The relay: looks what is due, and rings for the handlers that owe it."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from dramatiq.errors import BrokerError, ConnectionClosed
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from handlers import Handler
from models.deliveries.look import Due, look
from workers.broker.actors import bell_for
from workers.broker.connect import Sender
from workers.metrics import Metrics
from workers.upkeep import Upkeep

log = structlog.get_logger()

# Bells in a handler's queue at most: enough that no worker waits for the relay. A worker that
# finds more than a batch goes on without a bell.
QUEUE_BOUND = 16
# Seconds between passes: shortest while there is work, doubling while there is none. Publishers
# ring, so that the longest wait is met by plain SQL alone.
SHORTEST_WAIT, LONGEST_WAIT = 0.005, 0.2
WAIT_AFTER_FAILURE = 0.2  # seconds, while the database or the broker is away
# Seconds until the same work is rung for again: its bell may be lost, or all workers are busy.
RING_AGAIN = 1.0
DEPTHS_EVERY = 1.0  # seconds between looks at queues that are all full
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class Rung:
    """What was rung for last, of one handler: up to which number and time, and when."""

    last: int = -1
    later_last: datetime = LONG_AGO
    at: float = float("-inf")

    def is_news(self, due: Due, now: float) -> bool:
        """Whether something is due that was not rung for, or that nobody took."""
        return (
            (due.last is not None and due.last > self.last)
            or (due.later_last is not None and due.later_last > self.later_last)
            or now - self.at >= RING_AGAIN
        )

    def note(self, due: Due, now: float) -> None:
        """Know that what is due was rung for."""
        self.last = max(self.last, due.last if due.last is not None else -1)
        self.later_last = max(self.later_last, due.later_last or LONG_AGO)
        self.at = now


class Relay:
    """Any number of relays may run: a bell too many costs one look of a worker."""

    def __init__(
        self, engine: Engine, sender: Sender, handlers: Mapping[str, Handler], metrics: Metrics
    ) -> None:
        self.engine = engine
        self.sender = sender
        self.handlers = handlers
        self.metrics = metrics
        self.upkeep = Upkeep(engine)
        self.sent = dict.fromkeys(handlers, 0)
        self.rung = {name: Rung() for name in handlers}
        self.broker_was_away = False
        self.next_depths = 0.0

    def run(self, bell: threading.Event, stopped: threading.Event) -> None:
        """Pass whenever the doorbell rings, and at least every 200 ms: SQL rings nothing."""
        wait = LONGEST_WAIT
        while not stopped.is_set():
            # Cleared before the pass: a ring during it leads to another one.
            bell.clear()
            try:
                self.upkeep.run()
                rang = self.relay() > 0
            except (SQLAlchemyError, BrokerError) as away:
                log.warning("relay_waits", error=type(away).__name__)
                if isinstance(away, SQLAlchemyError):
                    self.upkeep.database_was_away()
                stopped.wait(WAIT_AFTER_FAILURE)
                rang = False
            wait = SHORTEST_WAIT if rang else min(wait * 2, LONGEST_WAIT)
            bell.wait(wait)

    def relay(self) -> int:
        """Do one pass; return how many bells were rung."""
        self.metrics.passes.inc()
        if self.broker_was_away:
            self.sent |= self.sender.depths(self.sent)
            self.broker_was_away = False
        rooms = self.rooms()
        if not rooms:
            return 0
        bounds = {name: room * self.handlers[name].batch for name, room in rooms.items()}
        with self.engine.connect() as connection:
            found = look(connection, bounds)
        now = time.monotonic()
        return sum(
            self.ring(due, rooms[due.handler], now)
            for due in found
            if due.free and self.rung[due.handler].is_news(due, now)
        )

    def rooms(self) -> dict[str, int]:
        """How many more bells each handler's queue has room for.

        Asks the broker only about queues that may be full by what this relay sent.
        """
        full = [name for name, sent in self.sent.items() if sent >= QUEUE_BOUND]
        now = time.monotonic()
        if full and now >= self.next_depths:
            self.sent |= self.sender.depths(full)
            # A queue that stays full has nobody who listens: seldom, since looking costs commands.
            stay = [name for name in full if self.sent[name] >= QUEUE_BOUND]
            self.next_depths = now + (DEPTHS_EVERY if stay == full else 0)
        return {name: QUEUE_BOUND - sent for name, sent in self.sent.items() if sent < QUEUE_BOUND}

    def ring(self, due: Due, room: int, now: float) -> int:
        """Ring for what is due of a handler, once per batch. Raises ConnectionClosed."""
        name = due.handler
        bells = min(room, -(-due.free // self.handlers[name].batch))
        try:
            self.sender.send(name, [bell_for(name) for _ in range(bells)])
        except ConnectionClosed:
            self.broker_was_away = True
            raise
        self.rung[name].note(due, now)
        self.sent[name] += bells
        self.metrics.rung.labels(name).inc(bells)
        return bells
