"""Throughput during a fault, of the handlers that it does not concern, relative to before it."""

from collections.abc import Collection
from dataclasses import dataclass

from benchmarks.chaos.deliveries import Counts

LEAST = 0.8  # of the throughput before, of each handler
SHORTEST_WINDOW = 5.0  # s; in less, one batch more or less would decide
FEWEST_DONE = 30  # deliveries of a handler before the fault; of fewer, a rate says nothing


@dataclass(frozen=True)
class Throughput:
    """Deliveries done a second before and during a fault, or `unknown`: why there is no figure.

    `ratio` is that of the handler which fared worst. `window` is the time counted during the
    fault, in seconds, and `published` how many events came in a second: fewer, and the machine or
    the fault held up the publisher.
    """

    fault: str
    before: float | None = None
    during: float | None = None
    ratio: float | None = None
    handler: str | None = None
    window: float = 0.0
    published: float | None = None
    unknown: str | None = None

    @property
    def is_too_low(self) -> bool:
        return self.ratio is not None and self.ratio < LEAST


Window = tuple[Counts, Counts]


def throughput(
    fault: str, concerned: Collection[str], before: Window, during: Window
) -> Throughput:
    """Compare two windows of time."""
    seconds = length(during)
    if min(seconds, length(before)) < SHORTEST_WINDOW:
        return Throughput(fault, window=seconds, unknown=f"{seconds:.1f} s are too short to tell")
    busy = [
        name
        for name in before[0].done
        if name not in concerned and before[1].done[name] - before[0].done[name] >= FEWEST_DONE
    ]
    if not busy:
        return Throughput(fault, window=seconds, unknown="no handler had enough to do")
    ratios = {name: rate(during, [name]) / rate(before, [name]) for name in busy}
    worst = min(ratios, key=ratios.__getitem__)
    return Throughput(
        fault,
        before=round(rate(before, busy), 1),
        during=round(rate(during, busy), 1),
        ratio=round(ratios[worst], 3),
        handler=worst,
        window=seconds,
        published=round(publishing_rate(during), 1),
    )


def length(window: Window) -> float:
    """Seconds between two counts."""
    return round(window[1].at - window[0].at, 1)


def publishing_rate(window: Window) -> float:
    """Events published a second."""
    first, last = window
    return (last.published - first.published) / (last.at - first.at)


def rate(window: Window, handlers: Collection[str]) -> float:
    """Deliveries of these handlers done a second."""
    first, last = window
    return (last.total(handlers) - first.total(handlers)) / (last.at - first.at)
