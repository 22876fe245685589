"""A server that receives webhooks, as somebody's own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe

from tests.doubles import Doubles


@dataclass
class Receiver:
    """What came, oldest first. `statuses` are the next answers; then it answers 200."""

    url: str = ""
    secret: str = ""
    received: list[tuple[bytes, str]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def subscribe(
        self, client: stripe.StripeClient, *types: str, version: str | None = None
    ) -> str:
        """Become a webhook endpoint for some types, or for all; its id."""
        params: dict[str, Any] = {"url": self.url, "enabled_events": list(types) or ["*"]}
        if version is not None:
            params["api_version"] = version
        endpoint = client.v1.webhook_endpoints.create(params)  # type: ignore[arg-type]
        assert endpoint.secret
        self.secret = endpoint.secret
        return endpoint.id

    def become_destination(self, client: stripe.StripeClient, *types: str) -> str:
        """Become a destination of thin events; its id."""
        params: dict[str, Any] = {
            "name": "ours",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": list(types),
            "webhook_endpoint": {"url": self.url},
            "include": ["webhook_endpoint.signing_secret"],
        }
        made = client.v2.core.event_destinations.create(params)  # type: ignore[arg-type]
        assert made.webhook_endpoint
        assert made.webhook_endpoint.signing_secret
        self.secret = made.webhook_endpoint.signing_secret
        return made.id

    def events(self, doubles: Doubles) -> list[dict[str, Any]]:
        """What came by now, each checked by the SDK."""
        doubles.await_webhooks()
        found = []
        for body, signature in list(self.received):
            client = stripe.StripeClient("sk_test_sandbox")
            event = client.construct_event(body, signature, self.secret)
            found.append(event.to_dict())
        return found

    def types(self, doubles: Doubles) -> list[str]:
        return [each["type"] for each in self.events(doubles)]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.received.append((body, self.headers["stripe-signature"]))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/webhooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
