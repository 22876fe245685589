"""What a fault is: how it is made, for how long, and whose work it concerns."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks.errors import NotInjected

TURN_TIMEOUT = 10.0  # s that a fault waits for another one to end

# Seconds that a fault lasts while throughput is measured: a worker looks by itself every second,
# and the figure must not hang on one batch.
MEASURED = 7.0

# The handlers that wait while a provider is down: recovery is measured on them.
CHAOS_PROVIDER_HANDLERS = ("chaos_call", "chaos_batch", "chaos_patient", "chaos_work")
LOOPS_HANDLERS = ("emails", "emails_awaited", "contacts")
# The throttle that Loops' handlers wait for is in Redis.
REDIS_HANDLERS = ("progress", "cache", "sessions", *LOOPS_HANDLERS)


@dataclass(frozen=True)
class FaultKind:
    """One way to break things; lengths are in seconds.

    Among other faults it lasts from `shortest` to `longest`, alone and measured for `measured`
    (None: it is PostgreSQL's own, of which no throughput is promised), of which the first
    `not_counted` are left out. `concerned` are the handlers whose work stops; () is all, and no
    handler in particular.
    """

    inject: Callable[[], AbstractContextManager[None]]
    shortest: float = 0.0
    longest: float = 0.0
    concerned: tuple[str, ...] = ()
    measured: float | None = MEASURED
    not_counted: float = 0.0


@contextmanager
def alone(lock: threading.Lock) -> Iterator[None]:
    """Wait for another fault that cannot be there at the same time. Raises NotInjected."""
    if not lock.acquire(timeout=TURN_TIMEOUT):
        raise NotInjected("Another fault was in the way.")
    try:
        yield
    finally:
        lock.release()
