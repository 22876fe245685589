"""A provider's double that can be told to fail: `python -m ...system.provider_double RECORD`.

The process prints its address, and appends one line of JSON to the file RECORD for each event of
each call that reaches it: the handler, the idempotency key, and whether the effect was done.
`POST /behaviour` sets how it behaves from then on. It ends when its standard input is closed.
"""

import json
import sys
import threading
import time
from contextlib import suppress
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

SLOW_ANSWER = 6.0  # s; longer than the impatient client waits, shorter than the patient one
HANG_TIME = 4.0  # s; longer than the client's timeout and than the shortest lease


class Behaviour(StrEnum):
    """How the provider behaves. Only NORMAL, LOSES and SLOW do the effect."""

    NORMAL = "well"
    ERRORS = "answers 500"
    HANGS = "hangs"
    DROPS = "drops connections"
    LOSES = "loses its answers"
    SLOW = "slow"


class Call(NamedTuple):
    """What the provider was asked for one event, under which idempotency key, and if it did it."""

    handler: str
    event: str
    key: str | None
    done: bool


def read_calls(record: Path) -> list[Call]:
    """All calls that reached the provider."""
    return [Call(**json.loads(line)) for line in record.read_text().splitlines()]


class ProviderDouble(ThreadingHTTPServer):
    """The HTTP server, its behaviour and its record of calls."""

    daemon_threads = True
    request_queue_size = 128  # more than all workers can have open at once

    def __init__(self, record: Path) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.behaviour = Behaviour.NORMAL
        self.record = record.open("a", buffering=1)
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add_to_record(self, handler: str, calls: list[dict[str, Any]], *, done: bool) -> None:
        """Record a call in one write, so that a line is whole or absent."""
        lines = [json.dumps({"handler": handler} | each | {"done": done}) for each in calls]
        with self.lock:
            self.record.write("\n".join(lines) + "\n")

    def server_close(self) -> None:
        """Close the socket and the record."""
        super().server_close()
        self.record.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: callers that hang up or are killed are part of every run."""


class Request(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ProviderDouble

    def do_POST(self) -> None:
        """Take a call, or a new behaviour."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/behaviour":
            self.server.behaviour = Behaviour(body.decode())
            self.answer(204)
            return
        behaviour, asked = self.server.behaviour, json.loads(body)
        done = behaviour in {Behaviour.NORMAL, Behaviour.LOSES, Behaviour.SLOW}
        # Recorded before the answer: a caller that is killed meanwhile has still had its effect.
        self.server.add_to_record(asked["handler"], asked["calls"], done=done)
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        """Answer, now or later, or hang or drop the connection."""
        if behaviour in {Behaviour.NORMAL, Behaviour.SLOW}:
            time.sleep(SLOW_ANSWER if behaviour is Behaviour.SLOW else 0)
            with suppress(OSError):  # an impatient caller has hung up
                self.answer(204)
        elif behaviour is Behaviour.ERRORS:
            self.answer(500)
        else:
            time.sleep(HANG_TIME if behaviour is Behaviour.HANGS else 0)
            self.close_connection = True

    def answer(self, status: int) -> None:
        """Send an answer without a body."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing: the record holds every call."""


if __name__ == "__main__":
    double = ProviderDouble(Path(sys.argv[1]))
    threading.Thread(target=double.serve_forever, daemon=True).start()
    print(double.url, flush=True)  # noqa: T201
    sys.stdin.read()
