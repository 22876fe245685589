"""What is due later: renewals, retries, expiries, by the clock that their objects live on."""

import heapq
from collections.abc import Callable, Iterator
from itertools import count

Action = Callable[[], object]


class Timers:
    """Actions by key, each with the time at which it is due, in whole seconds since the epoch.

    `clock` is the id of a test clock, or None for the double's own clock.
    """

    def __init__(self) -> None:
        self.actions: dict[tuple[str, ...], tuple[int, int, Action]] = {}
        self.heaps: dict[str | None, list[tuple[int, int, tuple[str, ...]]]] = {}
        self.numbers = count()

    def set(self, clock: str | None, due: int, key: tuple[str, ...], action: Action) -> None:
        """Let an action be due at a time, in place of the one with the same key."""
        number = next(self.numbers)
        self.actions[key] = (due, number, action)
        heapq.heappush(self.heaps.setdefault(clock, []), (due, number, key))

    def cancel(self, *key: str) -> None:
        self.actions.pop(key, None)

    def due(self, clock: str | None, until: int) -> Iterator[tuple[int, Action]]:
        """Hand out, in the order of time, what is due; also what becomes due meanwhile."""
        heap = self.heaps.setdefault(clock, [])
        while heap and heap[0][0] <= until:
            due, number, key = heapq.heappop(heap)
            found = self.actions.get(key)
            # A timer that was set anew or cancelled leaves its old entry in the heap.
            if found is not None and found[1] == number:
                del self.actions[key]
                yield due, found[2]
