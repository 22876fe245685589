"""Servers that behave as a Redis in trouble: one that hangs, one that says a line, and a proxy."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

GREETINGS = {b"HELLO": b"%1\r\n+proto\r\n:3\r\n", b"CLIENT": b"+OK\r\n"}
Answer = Callable[[list[bytes]], bytes | None]


class ScriptedRedis(ThreadingTCPServer):
    """Speaks RESP: greets, and answers other commands as a function says; None is no answer."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), ScriptedConnection)
        self.answer = answer
        self.connections = 0
        self.url = f"redis://127.0.0.1:{self.server_address[1]}"


class ScriptedConnection(StreamRequestHandler):
    server: ScriptedRedis

    def handle(self) -> None:
        self.server.connections += 1
        with suppress(OSError, ValueError):
            while header := self.rfile.readline():
                words = [self.word() for _ in range(int(header[1:]))]
                answer = GREETINGS.get(words[0]) or self.server.answer(words)
                if answer is not None:
                    self.wfile.write(answer)

    def word(self) -> bytes:
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:size]


@contextmanager
def scripted_redis(answer: Answer) -> Iterator[ScriptedRedis]:
    """A scripted server, for as long as the block lasts."""
    with ScriptedRedis(answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def hanging_redis() -> Iterator[str]:
    """The URL of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


def connection_to(url: str) -> socket.socket:
    """A plain connection to the Redis of a URL, over TCP or a unix socket."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379))
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(parts.path)
    return connection


class Proxy:
    """Forwards TCP connections to a Redis; new ones go where `leads_to`, a URL, says by then."""

    def __init__(self, leads_to: str) -> None:
        self.leads_to = leads_to
        self.server = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self.server.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.connections = 0
        self.generation = 0  # connections of an earlier one are frozen
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.server.accept()
                far = connection_to(self.leads_to)
                self.sockets += [near, far]
                self.connections += 1
                for ends in ((near, far), (far, near)):
                    arguments = (*ends, self.generation)
                    threading.Thread(target=self.forward, args=arguments, daemon=True).start()

    def forward(self, source: socket.socket, sink: socket.socket, generation: int) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                # A frozen connection is read, and so acknowledged, but leads nowhere.
                if generation == self.generation:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def freeze(self) -> None:
        """Swallow what is sent on the connections that there are; new ones work."""
        self.generation += 1

    def close(self) -> None:
        """Close all connections."""
        for each in (self.server, *self.sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
