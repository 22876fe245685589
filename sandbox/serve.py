"""Runs the sandbox: as a server of its own, or in a thread of a program that wants to look."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from starlette.types import Scope

from sandbox.app import create_app
from sandbox.templates import Template
from sandbox.world import World

STARTS_WITHIN = 10.0


class Server:
    """One sandbox on one port of this machine; port 0 takes any that is free."""

    def __init__(
        self,
        port: int = 0,
        *,
        templates: Mapping[str, Template] | None = None,
        redis_url: str | None = None,
    ) -> None:
        self.world = World(templates or {}, redis_url)
        app = create_app(self.world, self.hang_up)
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, lifespan="on", timeout_graceful_shutdown=1
        )
        self.uvicorn = uvicorn.Server(config)
        self.listening = socket.create_server(("127.0.0.1", port), backlog=512)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def hang_up(self, scope: Scope) -> None:
        """Break the connection that a request came on, without a word."""
        for connection in list(self.uvicorn.server_state.connections):
            if getattr(connection, "client", None) == scope["client"]:
                transport = getattr(connection, "transport", None)
                if transport is not None:
                    transport.abort()

    def run(self) -> None:
        """Serve until stopped."""
        self.uvicorn.run(sockets=[self.listening])

    def stop(self) -> None:
        """Stop serving."""
        self.uvicorn.should_exit = True


@contextmanager
def running_sandbox(
    *, templates: Mapping[str, Template] | None = None, redis_url: str | None = None, port: int = 0
) -> Iterator[Server]:
    """A sandbox in a thread of its own, inside the `with` block."""
    server = Server(port, templates=templates, redis_url=redis_url)
    thread = threading.Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTS_WITHIN
    while not server.uvicorn.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.stop()
        thread.join()
