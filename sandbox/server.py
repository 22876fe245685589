"""Runs the sandbox, in the foreground or in a thread."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from starlette.types import Scope

from sandbox.app import create_app
from sandbox.loops.templates import Template
from sandbox.providers import Providers

START_TIMEOUT = 10.0  # seconds; it takes well under one, even on a busy machine


class SandboxServer:
    """One sandbox on one port of this machine; port 0 takes any free one.

    `providers` is its state, for tests in the same process; others use `SandboxClient`.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        templates: Mapping[str, Template] | None = None,
        redis_url: str | None = None,
    ) -> None:
        self.providers = Providers(templates or {}, redis_url)
        app = create_app(self.providers, self.break_connection)
        config = uvicorn.Config(
            app,
            loop="asyncio",  # wherever uvloop is installed for something else
            log_level="critical",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
        self.uvicorn = uvicorn.Server(config)
        # Bound here and not by uvicorn, so that the port is known before the server runs.
        self.listening = socket.create_server(("127.0.0.1", port), backlog=512)
        # Without it every answer waits 40 ms for the client's delayed acknowledgement; asyncio sets
        # it only on sockets that name their protocol, which this one does not.
        self.listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def break_connection(self, scope: Scope) -> None:
        """Abort the connection that a request came on, as a network failure would.

        ASGI has no way to do so; uvicorn's connections are found by the client's address.
        """
        for connection in list(self.uvicorn.server_state.connections):
            if getattr(connection, "client", None) == scope["client"]:
                transport = getattr(connection, "transport", None)
                if transport is not None:
                    transport.abort()

    def run(self) -> None:
        """Serve until stopped."""
        self.uvicorn.run(sockets=[self.listening])

    def stop(self) -> None:
        self.uvicorn.should_exit = True


@contextmanager
def running_sandbox(
    *, templates: Mapping[str, Template] | None = None, redis_url: str | None = None, port: int = 0
) -> Iterator[SandboxServer]:
    """A sandbox in a thread, inside the `with` block."""
    server = SandboxServer(port, templates=templates, redis_url=redis_url)
    thread = threading.Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_TIMEOUT
    while not server.uvicorn.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.stop()
        thread.join()
