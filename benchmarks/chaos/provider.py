"""A double of a provider that has bad days: `python -m benchmarks.chaos.provider RECORD`.

It says its address, and writes a line of JSON to the file RECORD for each event of each call
that reaches it: by which handler, under which key, and whether it was done. `POST /mood` tells
it how to behave from then on. It ends when nobody holds its standard input any more.
"""

import json
import sys
import threading
import time
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HANGS = 4.0


class Mood(StrEnum):
    """How the provider behaves. It does its work only when it is well, or loses its answers."""

    WELL = "well"
    ERRORS = "answers 500"
    HANGS = "hangs"
    DROPS = "drops connections"
    LOSES = "loses its answers"


class Double(ThreadingHTTPServer):
    """The provider, its mood and its record."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, record: Path) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.mood = Mood.WELL
        self.record = record.open("a", buffering=1)
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def note(self, handler: str, calls: list[dict[str, Any]], *, done: bool) -> None:
        """Record a call in one write, so that a line is whole or absent."""
        lines = [json.dumps({"handler": handler} | each | {"done": done}) for each in calls]
        with self.lock:
            self.record.write("\n".join(lines) + "\n")

    def server_close(self) -> None:
        """Let go of the port and of the record."""
        super().server_close()
        self.record.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that hang up, or are killed, are no news here."""


class Request(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Double

    def do_POST(self) -> None:
        """Take a call, or a new mood."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/mood":
            self.server.mood = Mood(body.decode())
            self.answer(204)
            return
        mood, asked = self.server.mood, json.loads(body)
        done = mood in {Mood.WELL, Mood.LOSES}
        self.server.note(asked["handler"], asked["calls"], done=done)
        self.behave(mood)

    def behave(self, mood: Mood) -> None:
        """Answer, or not."""
        if mood is Mood.WELL:
            self.answer(204)
        elif mood is Mood.ERRORS:
            self.answer(500)
        else:
            time.sleep(HANGS if mood is Mood.HANGS else 0)
            self.close_connection = True

    def answer(self, status: int) -> None:
        """An answer without a body."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """The record says it all."""


if __name__ == "__main__":
    double = Double(Path(sys.argv[1]))
    threading.Thread(target=double.serve_forever, daemon=True).start()
    print(double.url, flush=True)  # noqa: T201
    sys.stdin.read()
