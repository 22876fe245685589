"""How each provider says that it will not, or cannot, do what it was asked."""

from collections.abc import Callable

from starlette.responses import JSONResponse

from sandbox.loops.refusal import Refused
from sandbox.posthog.api import refusal
from sandbox.upstash.api import Wrong

WORDED: dict[str, Callable[[int, str], JSONResponse]] = {
    "loops": lambda status, message: Refused(status, message).response,
    "posthog": refusal,
    "sentry": lambda status, message: JSONResponse({"detail": message}, status),
    "upstash": lambda status, message: Wrong(status, message).response,
}
