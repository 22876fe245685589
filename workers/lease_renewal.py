"""Renews the leases of external work while it runs, so that no other worker begins it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from handlers import Handler
from models.deliveries.lease import Lease, extend, release

log = structlog.get_logger()


class RunningWork(NamedTuple):
    """A batch that a handler works at, and the attempts to give back if the process must end."""

    handler: Handler
    leases: Sequence[Lease]
    refund: int


class LeaseRenewal(threading.Thread):
    """One thread per process.

    It wakes every `interval` seconds, a third of the shortest lease: two renewals may fail before
    a lease runs out.
    """

    def __init__(self, sessions: "sessionmaker[Session]", interval: float = 10.0) -> None:
        super().__init__(daemon=True, name="lease-renewal")
        self.sessions = sessions
        self.interval = interval
        self.stopped = threading.Event()
        self._running: dict[int, RunningWork] = {}
        self._lock = threading.Lock()

    @contextmanager
    def renewing(
        self, handler: Handler, leases: Sequence[Lease], *, refund: int = 0
    ) -> Iterator[None]:
        """Renew these leases inside the `with` block."""
        work = RunningWork(handler, leases, refund)
        with self._lock:
            self._running[id(work)] = work
        try:
            yield
        finally:
            with self._lock:
                del self._running[id(work)]

    def running(self) -> list[RunningWork]:
        """What runs now."""
        with self._lock:
            return list(self._running.values())

    def run(self) -> None:
        """Renew until stopped. What fails, as when the database is away, is tried next time."""
        while not self.stopped.wait(self.interval):
            for work in self.running():
                try:
                    self.renew(work)
                except SQLAlchemyError:
                    log.warning("lease_not_extended", handler=work.handler.name)

    def renew(self, work: RunningWork) -> None:
        """Renew leases once; those that another worker took over stay with it."""
        with self.sessions.begin() as session:
            extend(session, work.handler.name, work.leases, work.handler.lease)

    def give_back(self) -> None:
        """Give back whatever still runs when the process must end: that is not its failure."""
        for work in self.running():
            with self.sessions.begin() as session:
                release(session, work.handler.name, work.leases, refund=work.refund)

    def stop(self) -> None:
        self.stopped.set()
