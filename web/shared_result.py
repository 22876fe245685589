"""The result of a look that costs something, shared by all who ask for it."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Result = TypeVar("Result")
KEPT = 1.0  # seconds after its end; probes and scrapes come every few seconds from each asker


class SharedResult(Generic[Result]):
    """Looks at most once a second and never twice at once, in a thread of its own.

    Whoever asks meanwhile gets the same result, or the same error. Waiting for it takes no thread,
    so that many askers leave those of other requests free.
    """

    def __init__(
        self, look: Callable[[], Result], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.look = look
        self.clock = clock
        self.lock = threading.Lock()
        self.thread = ThreadPoolExecutor(max_workers=1)
        self.newest: Future[Result] | None = None
        self.ended_at = 0.0

    async def get(self) -> Result:
        """The result: of now, of a look that runs, or of one that ended less than a second ago."""
        # Shielded: an asker that leaves must not cancel what others wait for.
        return await asyncio.shield(asyncio.wrap_future(self.future()))

    def future(self) -> "Future[Result]":
        """The result as a future, for any thread."""
        with self.lock:
            if self.newest is None or self.is_old(self.newest):
                self.newest = self.thread.submit(self.look_once)
            return self.newest

    def is_old(self, future: "Future[Result]") -> bool:
        return future.done() and self.clock() - self.ended_at >= KEPT

    def look_once(self) -> Result:
        try:
            return self.look()
        finally:
            self.ended_at = self.clock()
