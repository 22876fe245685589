"""Gives up a connection that does not answer, however alive it looks."""

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import psycopg

STOPPING_ANSWER = 4.0  # seconds; a process must end within 10 s of SIGTERM


class NoAnswer(psycopg.OperationalError):
    """Raised when a connection was given up: to whoever waits, it is a lost one."""


@dataclass(frozen=True)
class Deadlines:
    """When a connection is given up, in seconds; None: never.

    `answer`: after the last that was heard, while an answer is waited for. `lifetime`: after the
    connection was made. Once `stopped` is set, an answer is waited for no longer than
    STOPPING_ANSWER.

    The time-outs of TCP and of the server do not help where something on the way acknowledges what
    is sent and passes nothing on.
    """

    answer: float | None = None
    lifetime: float | None = None
    stopped: Event | None = None


@dataclass
class Wait:
    """One wait for an answer, on a connection that was made at `made_at` (monotonic seconds)."""

    deadlines: Deadlines
    made_at: float
    give_up: Callable[[float], NoAnswer]  # ends the connection; takes how long it was silent
    heard_at: float = field(default_factory=time.monotonic)
    stopped_at: float | None = None

    def watch(self, answer: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Wait for `answer` as the driver does, which wakes ten times a second at least.

        No timer and no thread is needed: a look costs less than a microsecond. Raises NoAnswer.
        """
        try:
            wanted = next(answer)
            while True:
                ready = yield wanted
                if ready:
                    self.heard_at = time.monotonic()
                elif self.is_over():
                    error = self.give_up(time.monotonic() - self.heard_at)
                    # What the driver tidies up now fails on the closed connection.
                    with suppress(psycopg.Error, StopIteration):
                        answer.throw(error)
                    raise error
                wanted = answer.send(ready)
        except StopIteration as end:
            return end.value

    def is_over(self) -> bool:
        now, limits = time.monotonic(), self.deadlines
        if limits.stopped is not None and limits.stopped.is_set():
            self.stopped_at = self.stopped_at or now
            if now - max(self.heard_at, self.stopped_at) >= STOPPING_ANSWER:
                return True
        return has_passed(now - self.heard_at, limits.answer) or has_passed(
            now - self.made_at, limits.lifetime
        )


def has_passed(seconds: float, limit: float | None) -> bool:
    return limit is not None and seconds >= limit
