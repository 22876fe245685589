"""Spares requests the wait for a Redis that is down: one a second asks it."""

import threading
import time
from typing import Any

from errors import ProviderDown
from services.redis.commands import Command, CommandFailed, Commands

RETRY_AFTER = 1.0  # seconds; without this pause every request would wait for a Redis that is down


class CircuitBreaker:
    """Closed while Redis answers; open from a failure on until an answer. For many threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.next_try: float | None = None
        """When Redis, which is down, may be asked again; None while it answers."""

    def may_ask(self) -> bool:
        """Whether this caller may ask Redis: any, or where it is down the first of a second."""
        with self.lock:
            now = time.monotonic()
            if self.next_try is None:
                return True
            if now < self.next_try:
                return False
            self.next_try = now + RETRY_AFTER
            return True

    def open(self) -> None:
        """Redis failed: let nobody ask it for a second."""
        self.next_try = time.monotonic() + RETRY_AFTER

    def close(self) -> None:
        """Redis answered."""
        self.next_try = None


class GuardedCommands:
    """Commands that raise ProviderDown at once while Redis is down.

    Else those who wait for it would hold all threads of a process, those of publishers too.
    """

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.breaker = CircuitBreaker()

    def run(self, *commands: Command) -> list[Any]:
        """See Commands.run."""
        if not self.breaker.may_ask():
            raise ProviderDown("Redis did not answer a moment ago.")
        try:
            replies = self.commands.run(*commands)
        except ProviderDown:
            self.breaker.open()
            raise
        except CommandFailed:
            self.breaker.close()
            raise
        self.breaker.close()
        return replies
