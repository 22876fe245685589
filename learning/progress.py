"""How far a training is, reported to its caller."""

from collections.abc import Callable
from time import monotonic
from typing import TypeAlias

OnProgress: TypeAlias = Callable[[float, str], None]
"""Takes percent (0 to 100) and a message for the user; may raise to cancel the training."""

ReportFraction: TypeAlias = Callable[[float, str], None]
"""Takes the fraction done of one stage (0 to 1) and a message for the user."""

FINISHED = 100.0  # percent


class ThrottledProgress:
    """An `OnProgress` that passes on at most one call per `interval` seconds.

    The first call and 100 percent always pass; percent never decreases. One object
    serves one training. What the wrapped function raises is let through.
    """

    def __init__(
        self,
        on_progress: OnProgress,
        *,
        interval: float = 0.25,  # each call is published as an event: 4 a second look smooth
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Wrap `on_progress`; `clock` returns seconds that never go back."""
        self._on_progress = on_progress
        self._interval = interval
        self._clock = clock
        self._percent = 0.0
        self._due_at: float | None = None

    def __call__(self, percent: float, message: str) -> None:
        """Pass the progress on, or drop it when the last one is too recent."""
        self._percent = max(self._percent, min(percent, FINISHED))
        now = self._clock()
        early = self._due_at is not None and now < self._due_at
        if early and self._percent < FINISHED:
            return
        self._due_at = now + self._interval
        self._on_progress(self._percent, message)


def scaled(on_progress: OnProgress, start: float, end: float) -> ReportFraction:
    """Return a report that maps a stage's fraction 0 to 1 to `start` to `end` percent."""

    def report(fraction: float, message: str) -> None:
        on_progress(start + (end - start) * fraction, message)

    return report
