"""The open streams, so that a server that stops can end them at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CancelScope


class OpenStreams:
    """Must be used in one event loop, like the streams themselves."""

    def __init__(self) -> None:
        self.scopes: set[CancelScope] = set()
        self.ended = False

    @contextmanager
    def register(self, scope: CancelScope) -> Iterator[None]:
        """Let `end` cancel the stream that runs in `scope`, as long as the block lasts."""
        self.scopes.add(scope)
        if self.ended:
            scope.cancel()
        try:
            yield
        finally:
            self.scopes.discard(scope)

    def end(self) -> None:
        """End all streams, also those that begin from now on."""
        self.ended = True
        for scope in tuple(self.scopes):
            scope.cancel()
