"""How far a training is, told to whoever asked for it."""

from collections.abc import Callable
from time import monotonic
from typing import TypeAlias

OnProgress: TypeAlias = Callable[[float, str], None]
"""Takes percent (0 to 100) and a message for people; may raise to cancel."""

Report: TypeAlias = Callable[[float, str], None]
"""Takes the share done of one stage (0 to 1) and a message for people."""


FINISHED = 100.0


class Throttle:
    """An `OnProgress` that passes on at most one call per `interval` seconds.

    The first call and 100 percent always pass; percent never decreases. One throttle
    serves one training. What the wrapped function raises is let through.
    """

    def __init__(
        self,
        on_progress: OnProgress,
        *,
        interval: float = 0.25,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Wrap `on_progress`; `clock` returns seconds that never go back."""
        self._on_progress = on_progress
        self._interval = interval
        self._clock = clock
        self._percent = 0.0
        self._due_at: float | None = None

    def __call__(self, percent: float, message: str) -> None:
        """Pass the progress on, or keep it to oneself when the last is too recent."""
        self._percent = max(self._percent, min(percent, FINISHED))
        now = self._clock()
        early = self._due_at is not None and now < self._due_at
        if early and self._percent < FINISHED:
            return
        self._due_at = now + self._interval
        self._on_progress(self._percent, message)


def stage(on_progress: OnProgress, start: float, end: float) -> Report:
    """Return a report that spreads a stage's share 0 to 1 over `start` to `end`."""

    def report(share: float, message: str) -> None:
        on_progress(start + (end - start) * share, message)

    return report
