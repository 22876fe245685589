"""Applies the faults to requests."""

import asyncio
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import FaultKind, Faults
from sandbox.loops.errors import ApiError as LoopsError
from sandbox.posthog.answers import error_response as posthog_error
from sandbox.stripe.errors import fault_response as stripe_error
from sandbox.upstash.api import error_response as upstash_error

# Clients branch on the body of an error too, so each provider's has the provider's own form.
ERROR_RESPONSES: dict[str, Callable[[int, str], JSONResponse]] = {
    "loops": lambda status, message: LoopsError(status, message).response,
    "posthog": posthog_error,
    "sentry": lambda status, message: JSONResponse({"detail": message}, status),
    "stripe": stripe_error,
    "upstash": upstash_error,
}


class FaultMiddleware:
    """Lets a request run into the fault of its provider, whose name begins the path.

    `break_connection` closes the connection of a request without an answer.
    """

    def __init__(
        self, app: ASGIApp, faults: Faults, break_connection: Callable[[Scope], None]
    ) -> None:
        self.app = app
        self.faults = faults
        self.break_connection = break_connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or apply the fault."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        provider = path.split("/")[1]
        fault = self.faults.take(provider, path)
        if fault is None:
            await self.app(scope, receive, send)
        elif fault.kind is FaultKind.STATUS:
            # An unread body would make the server close the connection after the answer.
            await read_to_end(receive)
            response = ERROR_RESPONSES[provider](fault.status, fault.message)
            response.headers.update(fault.headers)
            await response(scope, receive, send)
        elif fault.kind is FaultKind.LATENCY:
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, send)
        else:
            if fault.kind is FaultKind.LOSE:
                await self.app(scope, receive, discard)
            await asyncio.sleep(fault.seconds if fault.kind is FaultKind.HANG else 0)
            self.break_connection(scope)


async def discard(_message: Message) -> None:
    """Send nothing, in place of the real `send`."""


async def read_to_end(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass
