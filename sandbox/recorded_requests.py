"""Keeps the last requests to each provider, so that tests can compare ours with an SDK's."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS_KEPT = 50  # per provider; benchmarks send millions


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it came: header names in lower case, the body still compressed."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class RecordingMiddleware:
    """Records each request to a provider, whose name begins the path, whatever the answer is."""

    def __init__(self, app: ASGIApp, requests: Mapping[str, deque[RecordedRequest]]) -> None:
        self.app = app
        self.requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request to its end, record it, and hand it on."""
        kept = self.requests.get(scope["path"].split("/")[1]) if scope["type"] == "http" else None
        if kept is None:
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        headers = dict(Headers(scope=scope))
        query = scope["query_string"].decode()
        kept.append(RecordedRequest(scope["method"], scope["path"], query, headers, body))
        await self.app(scope, replay(body, receive), send)


async def read_body(receive: Receive) -> bytes | None:
    """A request's whole body; None where the client disconnected before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body, which was read already, and then what `receive` gives."""
    unread = [body]

    async def read() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return read
