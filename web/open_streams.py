"""The streams that are open, so that a server that stops can end them at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope


class OpenStreams:
    """Belongs to one event loop, like the streams themselves."""

    def __init__(self) -> None:
        self.scopes: set[CancelScope] = set()
        self.ended = False

    @contextmanager
    def during(self, scope: CancelScope) -> Iterator[None]:
        """Let the stream that runs in `scope` be ended from outside while the block lasts."""
        self.scopes.add(scope)
        if self.ended:
            scope.cancel()
        try:
            yield
        finally:
            self.scopes.discard(scope)

    def end(self) -> None:
        """End all streams, and those that still begin."""
        self.ended = True
        for scope in tuple(self.scopes):
            scope.cancel()
