"""Logs each request once: method, route, status and duration."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.middleware.route_templates import RouteTemplates

log = structlog.get_logger()


class RequestLog:
    """Logs the template of the route, and neither path nor query: they may identify a user."""

    def __init__(self, app: ASGIApp, templates: RouteTemplates) -> None:
        self.app = app
        self.templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and log it when it has ended; a crash is logged as a 500."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500  # what the server sends if the app raises before it answers

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note_status)
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=self.templates.of(scope),
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )
