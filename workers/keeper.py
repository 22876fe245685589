"""Extends the leases of external work while it runs, so that nobody else begins it meanwhile."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from handlers import Handler
from models import leases
from models.leases import Owed

log = structlog.get_logger()


class LeaseKeeper(threading.Thread):
    """One thread a process; it wakes every `interval` seconds, a third of the shortest lease."""

    def __init__(self, sessions: "sessionmaker[Session]", interval: float = 10.0) -> None:
        super().__init__(daemon=True, name="lease-keeper")
        self.sessions = sessions
        self.interval = interval
        self.stopped = threading.Event()
        self.running: dict[int, tuple[Handler, Sequence[Owed]]] = {}
        self.lock = threading.Lock()

    @contextmanager
    def keep(self, handler: Handler, owed: Sequence[Owed]) -> Iterator[None]:
        """Keep these leases alive inside the `with` block."""
        ticket = object()
        with self.lock:
            self.running[id(ticket)] = (handler, owed)
        try:
            yield
        finally:
            with self.lock:
                del self.running[id(ticket)]

    def held(self) -> list[tuple[Handler, Sequence[Owed]]]:
        """What runs now."""
        with self.lock:
            return list(self.running.values())

    def run(self) -> None:
        """Extend, until stopped. A database that is away is tried again next time."""
        while not self.stopped.wait(self.interval):
            for handler, owed in self.held():
                try:
                    self.extend(handler, owed)
                except (OperationalError, InterfaceError):
                    log.warning("lease_not_extended", handler=handler.name)

    def extend(self, handler: Handler, owed: Sequence[Owed]) -> None:
        """Extend leases once; those that another worker took over stay with it."""
        with self.sessions.begin() as session:
            leases.extend(session, handler.name, owed, handler.lease)

    def release(self) -> None:
        """Give back whatever still runs when the process must end: it is nobody's failure."""
        for handler, owed in self.held():
            with self.sessions.begin() as session:
                leases.release(session, handler.name, owed)

    def stop(self) -> None:
        """End the thread."""
        self.stopped.set()
