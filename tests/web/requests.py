"""Requests to the web app, what they left in the database, and the messages of a stream."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from runtime.assembly import Assembly
from web.serve import Server

KEY = {"Authorization": "Bearer a-key-for-the-tests"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


def cloud_event(user_id: UUID | str, **attributes: Any) -> dict[str, Any]:
    """A prediction, as an upstream app publishes it."""
    return {
        "specversion": "1.0",
        "id": "p-1",
        "source": "/platform",
        "type": "prediction.made",
        "subject": str(user_id),
        "data": {"model_id": "m-1", "prediction_count": 3},
    } | attributes


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait until a condition holds, and return its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.01)
    return found


def stored_events(assembly: Assembly) -> list[Any]:
    """All events, in the order of their recording."""
    with assembly.engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM insights.events ORDER BY recorded_at")))


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    """A connection to a server, for what no HTTP client would send; receiving fails after 5 s."""
    with socket.create_connection(server.servers[0].sockets[0].getsockname()[:2], 5) as client:
        yield client


def messages(stream: httpx.Response) -> Iterator[dict[str, Any]]:
    """The messages of server-sent events, comments as `{"comment": …}`, with parsed data."""
    message: dict[str, Any] = {}
    for line in stream.iter_lines():
        if line.startswith(":"):
            yield {"comment": line[1:]}
        elif line:
            name, _, value = line.partition(": ")
            message[name] = json.loads(value) if name == "data" else value
        elif message:
            yield message
            message = {}
