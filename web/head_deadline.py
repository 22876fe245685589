"""Cuts off connections on which the head of a request does not end."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT = 15.0  # seconds; slow mobile networks need one or two for the few kB of a head


class HeadDeadline(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, which by itself waits for a request's head for ever.

    The time runs from the start of the connection, and from the first byte of each further
    request. Between requests the keep-alive time-out runs instead.
    """

    head_timer: asyncio.TimerHandle | None = None
    had_request = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.stop_timer()

    def handle_events(self) -> None:
        """Handle what was received; uvicorn calls it for each piece, and after each response."""
        super().handle_events()
        self.watch_head()

    def watch_head(self) -> None:
        """Start the timer, let it run on however many bytes come, or stop it at the head's end."""
        before_end = self.conn.their_state is h11.IDLE
        self.had_request |= not before_end
        if not before_end or (self.had_request and not self.conn.trailing_data[0]):
            self.stop_timer()
        elif self.head_timer is None:
            # Aborted, not closed: closing would wait for a client that reads nothing.
            self.head_timer = self.loop.call_later(HEAD_TIMEOUT, self.transport.abort)

    def stop_timer(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None
