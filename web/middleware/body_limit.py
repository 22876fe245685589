"""Bodies of requests: at most 1 MiB, whatever length the sender declares."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import Problem

MAX_BODY = 1 << 20  # bytes; a full batch of 1,000 events may have 1 kB each
CONTENT_LENGTH = b"content-length"


class BodyTooLarge(Problem):
    """Raised at the first byte too many; the rest is not read, and the connection ends."""

    def __init__(self) -> None:
        super().__init__(
            413, "A body may have at most 1 MiB (1,048,576 bytes).", headers={"Connection": "close"}
        )


class BodyLimit:
    """Stops reading a body where it becomes too large, or before, by its declared length."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or hand the request on with a body that is counted as it is read."""
        if scope["type"] == "http" and declared_length(scope) > MAX_BODY:
            await BodyTooLarge().response()(scope, receive, send)
            return
        size = 0

        # A chunked body declares no length, and a declared one may be wrong.
        async def receive_counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise BodyTooLarge
            return message

        await self.app(scope, receive_counted, send)


def declared_length(scope: Scope) -> int:
    """The Content-Length in bytes, 0 where there is none."""
    values = [value for name, value in scope["headers"] if name == CONTENT_LENGTH]
    return int(values[0]) if values and values[0].isdigit() else 0


async def whole_body(request: Request) -> bytes:
    """The body of a request, for an endpoint that runs in a thread."""
    return await request.body()


WholeBody = Annotated[bytes, Depends(whole_body)]
