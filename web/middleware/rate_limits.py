"""Limits how many requests may come per address and route, from clients without an API key.

The address is that of the connection. Behind a proxy it is the proxy's, unless uvicorn
trusts that proxy's X-Forwarded-For: FORWARDED_ALLOW_IPS, by default 127.0.0.1.
"""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.redis.rate_limit import Allowance, RateLimit
from web.authentication import ApiKeys
from web.middleware.route_templates import RouteTemplates
from web.problems import Problem

# Orchestrators ask these every few seconds, often all from one address.
UNLIMITED = frozenset({"/healthz", "/readyz"})


class RateLimits:
    """Servers with an API key are not limited: they publish thousands of events."""

    def __init__(
        self, app: ASGIApp, limit: RateLimit, keys: ApiKeys, templates: RouteTemplates
    ) -> None:
        self.app = app
        self.limit = limit
        self.keys = keys
        self.templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 429, or hand the request on and say in its answer how many more may come."""
        allowance = await self.count(scope)
        if allowance is None:
            await self.app(scope, receive, send)
            return
        headers = rate_limit_headers(allowance)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        if allowance.exceeded:
            await too_many_requests(allowance).response()(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)

    async def count(self, scope: Scope) -> Allowance | None:
        """Count the request; None for one that is not limited."""
        if scope["type"] != "http":
            return None
        template = self.templates.of(scope)
        if template in UNLIMITED or self.keys.accept(Headers(scope=scope).get("authorization")):
            return None
        address = scope["client"][0] if scope["client"] else "unknown"
        return await run_in_threadpool(self.limit.count, f"{address}:{template}")


def rate_limit_headers(allowance: Allowance) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers."""
    return {
        "RateLimit-Policy": f'"default";q={allowance.limit};w={allowance.window}',
        "RateLimit": f'"default";r={allowance.remaining};t={allowance.seconds_left}',
    }


def too_many_requests(allowance: Allowance) -> Problem:
    return Problem(
        429,
        f"At most {allowance.limit} requests in {allowance.window} s may come from one address.",
        headers={"Retry-After": str(allowance.seconds_left)},
    )
