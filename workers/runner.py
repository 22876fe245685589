"""Runs a handler on what is due, batch after batch, for as long as there is more."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from handlers import Handler, Kind
from models.database_errors import trouble_of
from services import Services
from services.sentry import Sentry
from workers.batch import Batch
from workers.external import ExternalWork
from workers.failure_policy import describe
from workers.failures import FailureWriter
from workers.in_hand import InHand
from workers.metrics import Metrics
from workers.transactional import TransactionalWork

log = structlog.get_logger()
# Seconds that one handler may keep a thread while others may be waiting for it.
TURN = 1.0
PAUSES_TROUBLE = (0.05, 0.2)  # seconds: most lost connections are one connection's


@dataclass
class Runner:
    """Runs the handlers of one worker process, several batches side by side."""

    sessions: "sessionmaker[Session]"
    services: Services
    in_hand: InHand
    metrics: Metrics
    sentry: Sentry
    stopping: threading.Event = field(default_factory=threading.Event)
    turn: float = TURN
    ring_again: Callable[[Handler], None] = lambda _handler: None
    """Called when a turn ended before the work did."""

    def __post_init__(self) -> None:
        failures = FailureWriter(self.metrics, self.sentry)
        self.transactional = TransactionalWork(
            self.sessions, self.in_hand, self.metrics, self.sentry, failures
        )
        self.external = ExternalWork(
            self.sessions, self.services, self.in_hand, self.metrics, self.sentry, failures
        )
        self.running: dict[str, int] = defaultdict(int)
        self.missed: set[str] = set()
        self.lock = threading.Lock()

    def run(self, handler: Handler, sent_at: float | None = None) -> None:
        """Handle what is due until a batch was not full, or the turn is over.

        Never raises for what a handler does, nor while the database is away. Beyond the handler's
        concurrency it does nothing: whoever runs already goes on while there is more.
        """
        if not self.begin(handler):
            return
        ends = time.monotonic() + self.turn
        calm = False
        try:
            while not self.stopping.is_set():
                batch = self.run_once(handler, sent_at, calm=calm)
                sent_at = None
                more = may_be_more(handler, batch) if batch else calm
                if not (self.rung_meanwhile(handler) or more):
                    return
                # What had setbacks comes alone, every second time: else its neighbours would wait.
                calm = not calm
                if time.monotonic() >= ends:
                    self.ring_again(handler)
                    return
        finally:
            self.end(handler)

    def run_once(
        self, handler: Handler, sent_at: float | None = None, *, calm: bool = False
    ) -> Batch | None:
        """Handle one batch; None where nothing is due or the database cannot work now."""
        work = self.transactional if handler.kind is Kind.TRANSACTIONAL else self.external
        pauses = iter(PAUSES_TROUBLE)
        while True:
            began = time.monotonic()
            try:
                batch = work.run(handler, sent_at, calm=calm)
            except (DBAPIError, PoolTimeout) as error:
                if trouble_of(error) is None:
                    raise
                log.warning("database_away", handler=handler.name, error=describe(error))
                pause = next(pauses, None)
                if pause is None:
                    return None
                time.sleep(pause)
            else:
                if batch is not None:
                    self.metrics.took(handler.name, time.monotonic() - began)
                return batch

    def begin(self, handler: Handler) -> bool:
        """Take one of the handler's places; where none is free, who has one looks once more."""
        with self.lock:
            if self.running[handler.name] >= handler.concurrency:
                self.missed.add(handler.name)
                return False
            self.running[handler.name] += 1
            return True

    def rung_meanwhile(self, handler: Handler) -> bool:
        """Whether a bell found no place since this was last asked."""
        with self.lock:
            missed = handler.name in self.missed
            self.missed.discard(handler.name)
            return missed

    def end(self, handler: Handler) -> None:
        """Leave the handler's place."""
        with self.lock:
            self.running[handler.name] -= 1

    def free_places(self, handler: Handler) -> int:
        """How many more batches of the handler may run side by side."""
        with self.lock:
            return handler.concurrency - self.running[handler.name]


def may_be_more(handler: Handler, batch: Batch) -> bool:
    """Whether another take would probably find something, too.

    Of what was put off only half a batch is taken at a time, and what had setbacks is taken alone.
    After a probe the circuit is closed, or it is another one's turn to probe.
    """
    first = batch.first
    is_full = len(batch.deliveries) >= (handler.batch + 1) // 2
    return is_full or first.setbacks > 0 or first.is_probe
