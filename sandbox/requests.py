"""The last requests to each provider, as they came: tests hold ours against those of its SDK."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT = 50


@dataclass(frozen=True)
class Sent:
    """One request: headers by lower-case names, the body neither unpacked nor decoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Remember:
    """Keeps what the provider whose name begins the path is sent, whatever becomes of it."""

    def __init__(self, app: ASGIApp, requests: Mapping[str, deque[Sent]]) -> None:
        self.app = app
        self.requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request to its end, keep it, and hand it on."""
        kept = self.requests.get(scope["path"].split("/")[1]) if scope["type"] == "http" else None
        if kept is None:
            await self.app(scope, receive, send)
            return
        body = await whole(receive)
        if body is None:
            return
        headers = dict(Headers(scope=scope))
        query = scope["query_string"].decode()
        kept.append(Sent(scope["method"], scope["path"], query, headers, body))
        await self.app(scope, again(body, receive), send)


async def whole(receive: Receive) -> bytes | None:
    """A request's body; None where the client went away before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """The same body once more, and then whatever else comes."""
    unread = [body]

    async def read() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return read
