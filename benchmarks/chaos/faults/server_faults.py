"""Faults of PostgreSQL and Redis: those of one server happen one at a time."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from benchmarks.chaos.faults.kind import REDIS_HANDLERS, FaultKind, alone
from benchmarks.chaos.faults.message_duplicator import MessageDuplicator
from benchmarks.chaos.observed.progress import ProgressWatcher
from benchmarks.errors import ChaosFailed
from runtime.embedded.server import EmbeddedServer


@dataclass
class ServerFaults:
    """The faults of the run's own PostgreSQL and Valkey."""

    postgres: EmbeddedServer
    valkey: EmbeddedServer
    progress: ProgressWatcher
    duplicator: MessageDuplicator
    postgres_lock: threading.Lock = field(default_factory=threading.Lock)
    redis_lock: threading.Lock = field(default_factory=threading.Lock)

    def kinds(self) -> Mapping[str, FaultKind]:
        """All of them by the name under which they are reported."""
        redis = REDIS_HANDLERS
        return {
            "Redis flushed": FaultKind(self.flush_redis, concerned=redis),
            "Redis away": FaultKind(self.stop_redis, 0.5, 2, redis),
            # Longer than our commands wait for an answer.
            "Redis hangs": FaultKind(self.hang_redis, 3, 6, redis, measured=12.0),
            "PostgreSQL crashed": FaultKind(self.crash_postgres, 0, 1, measured=None),
            "PostgreSQL read-only": FaultKind(self.refuse_writes, 1, 3, measured=None),
            "bells twice": FaultKind(self.ring_twice, 1, 3),
            "bells lost": FaultKind(self.lose_bells, 1, 3),
        }

    @contextmanager
    def flush_redis(self) -> Iterator[None]:
        """Delete everything in Redis."""
        with alone(self.redis_lock):
            self.progress.flush()
        yield

    @contextmanager
    def stop_redis(self) -> Iterator[None]:
        """Stop Redis, which has nothing on disk, and start it again empty."""
        with alone(self.redis_lock):
            self.valkey.stop()
            self.progress.listening.clear()
            try:
                yield
            finally:
                self.valkey.start()
            # Under the lock: a flush would otherwise be announced before the watcher listens.
            self.progress.wait_until_listening()

    @contextmanager
    def hang_redis(self) -> Iterator[None]:
        """Have Redis accept connections and commands and answer nothing, then all of them."""
        with alone(self.redis_lock):
            process = self.valkey.process
            if process is None:
                raise ChaosFailed("Redis does not run.")
            process.send_signal(signal.SIGSTOP)
            try:
                yield
            finally:
                process.send_signal(signal.SIGCONT)

    @contextmanager
    def crash_postgres(self) -> Iterator[None]:
        """Have PostgreSQL drop all connections at once without a checkpoint, and recover."""
        with alone(self.postgres_lock):
            self.postgres.stop(signal.SIGQUIT)
            try:
                yield
            finally:
                self.postgres.start()

    @contextmanager
    def refuse_writes(self) -> Iterator[None]:
        """Have PostgreSQL refuse every write, as a replica and a full disk do (SQLSTATE 25006)."""
        with alone(self.postgres_lock):
            self.set_read_only("on")
            try:
                yield
            finally:
                self.set_read_only("off")

    def set_read_only(self, value: str) -> None:
        """Set what transactions begin as, those of open sessions too."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")

    @contextmanager
    def ring_twice(self) -> Iterator[None]:
        """Ring earlier bells again and make some up, at once and once more a little later."""
        with alone(self.redis_lock):
            self.duplicator.send_again()
        yield
        with self.redis_lock:
            self.duplicator.send_again()

    @contextmanager
    def lose_bells(self) -> Iterator[None]:
        """Take bells away before a worker hears them."""
        self.duplicator.loses.set()
        try:
            yield
        finally:
            self.duplicator.loses.clear()
