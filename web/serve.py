"""Serves an app over HTTP until the process is asked to stop."""

import signal
import socket

import structlog
import uvicorn
from fastapi import FastAPI

from web.head_deadline import HeadDeadline

log = structlog.get_logger()
STOP_WITHIN = 25  # seconds for running requests; Kubernetes kills after 30


class Server(uvicorn.Server):
    """Logs the address once it listens; as it stops, ends what would make it wait."""

    def __init__(self, app: FastAPI, host: str, port: int, keep_alive: int) -> None:
        self.streams = app.state.dependencies.streams
        self.stopped = app.state.dependencies.stopped
        super().__init__(
            uvicorn.Config(
                app,
                http=HeadDeadline,
                loop="asyncio",  # wherever uvloop is installed for something else
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=keep_alive,
                timeout_graceful_shutdown=STOP_WITHIN,
            )
        )

    @property
    def url(self) -> str:
        """The address it listens at, also when port 0 gave it any free port."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        log.info("listening", url=self.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # First: uvicorn waits for open responses, and a stream lasts as long as its training.
        self.stopped.set()
        self.streams.end()
        await super().shutdown(sockets)


def serve(app: FastAPI, host: str, port: int, keep_alive: int) -> None:
    """Serve until SIGTERM or SIGINT; then finish what runs, 25 s at most, and return.

    A connection without a request is closed after `keep_alive` seconds. Logs go wherever the caller
    set up logging to go. Call it in the main thread.
    """
    server = Server(app, host, port, keep_alive)
    # uvicorn raises the signal once more when it has stopped: with these handlers in place the
    # process survives that, and the caller can finish.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, server.handle_exit)
    server.run()
