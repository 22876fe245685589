"""Extends the leases of external work while it runs, so that nobody else begins it meanwhile."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from handlers import Handler
from models import leases, settling
from models.leases import Owed

log = structlog.get_logger()


class Held(NamedTuple):
    """Leases that are being worked under."""

    handler: Handler
    owed: Sequence[Owed]
    refund: int


class LeaseRenewal(threading.Thread):
    """One thread a process; it wakes every `interval` seconds, a third of the shortest lease."""

    def __init__(self, sessions: "sessionmaker[Session]", interval: float = 10.0) -> None:
        super().__init__(daemon=True, name="lease-keeper")
        self.sessions = sessions
        self.interval = interval
        self.stopped = threading.Event()
        self.running: dict[int, Held] = {}
        self.lock = threading.Lock()

    @contextmanager
    def keep(self, handler: Handler, owed: Sequence[Owed], *, refund: int = 0) -> Iterator[None]:
        """Keep these leases alive inside the `with` block.

        `refund` is what to give back of the attempts if the process must end meanwhile.
        """
        held = Held(handler, owed, refund)
        with self.lock:
            self.running[id(held)] = held
        try:
            yield
        finally:
            with self.lock:
                del self.running[id(held)]

    def held(self) -> list[Held]:
        """What runs now."""
        with self.lock:
            return list(self.running.values())

    def run(self) -> None:
        """Extend, until stopped. A database that is away is tried again next time."""
        while not self.stopped.wait(self.interval):
            for held in self.held():
                try:
                    self.extend(held)
                except SQLAlchemyError:
                    log.warning("lease_not_extended", handler=held.handler.name)

    def extend(self, held: Held) -> None:
        """Extend leases once; those that another worker took over stay with it."""
        with self.sessions.begin() as session:
            leases.extend(session, held.handler.name, held.owed, held.handler.lease)

    def release(self) -> None:
        """Give back whatever still runs when the process must end: it is nobody's failure."""
        for held in self.held():
            with self.sessions.begin() as session:
                settling.release(session, held.handler.name, held.owed, refund=held.refund)

    def stop(self) -> None:
        """End the thread."""
        self.stopped.set()
