"""Bodies of requests: at most 1 MiB, whatever the sender says about its length."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import Problem

MOST = 1 << 20
LENGTH = b"content-length"


class BodyTooLarge(Problem):
    """Raised at the first byte too many; the rest is not read, and the connection ends."""

    def __init__(self) -> None:
        super().__init__(
            413, "A body may have at most 1 MiB (1,048,576 bytes).", headers={"Connection": "close"}
        )


class BodyLimit:
    """Stops reading a body where it becomes too large, or before, where its length is told."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413, or hand the request on with a body that is counted as it is read."""
        if scope["type"] == "http" and told_length(scope) > MOST:
            await BodyTooLarge().response()(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST:
                raise BodyTooLarge
            return message

        await self.app(scope, counted, send)


def told_length(scope: Scope) -> int:
    """The length that the sender announced in bytes, 0 where it did not."""
    told = [value for name, value in scope["headers"] if name == LENGTH]
    return int(told[0]) if told and told[0].isdigit() else 0


async def whole_body(request: Request) -> bytes:
    """The body of a request, for an endpoint that runs in a thread."""
    return await request.body()


WholeBody = Annotated[bytes, Depends(whole_body)]
