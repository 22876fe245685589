"""Runs the door until it is asked to stop."""

import signal
import socket

import structlog
import uvicorn

from settings import Settings
from web.app import create_app

log = structlog.get_logger()
GRACE = 25


class Server(uvicorn.Server):
    """Ends open streams as soon as it stops, and tells where it listens once it does."""

    def __init__(self, settings: Settings) -> None:
        app = create_app(settings)
        self.streams = app.state.door.streams
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )

    @property
    def url(self) -> str:
        """Where the server listens, also when it was given any free port."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        log.info("listening", url=self.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked, but let no stream keep us waiting."""
        self.streams.end()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then finish what runs, 25 s at most, and return.

    Logs go wherever the caller set up logging to go. Call it in the main thread.
    """
    server = Server(settings)
    # uvicorn raises the signal once more when it has stopped; nothing is left to die of it then.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, server.handle_exit)
    server.run()
