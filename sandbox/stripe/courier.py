"""Sends webhooks, signed as Stripe signs them."""

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from contextlib import suppress

import httpx

from sandbox.stripe.account import Account
from sandbox.stripe.deliveries import Deliveries, Delivery, version_for
from sandbox.stripe.events import payload

PAUSE = 0.02  # seconds between looks while something is due later or held
IDLE = 0.2  # seconds between looks for what is due by the clock
CONNECTIONS = 100  # enough that a slow endpoint does not stop the others


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """The Stripe-Signature header; the whole secret is the key, unlike at Loops."""
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Courier:
    """Sends what is due: to each endpoint in order, and to no endpoint later for another's sake."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.wakened = asyncio.Event()
        self.queues: dict[str, deque[Delivery]] = {}
        self.senders: dict[str, asyncio.Task[None]] = {}
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self.wakened.set)

        account.deliveries.wake = wake

    async def run(self) -> None:
        """Send until cancelled."""
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=0)
        # The proxies of the environment do not lead to this machine.
        async with httpx.AsyncClient(trust_env=False, limits=limits) as http:
            try:
                while True:
                    self.wakened.clear()
                    self.account.tick()
                    self.hand_out(http)
                    pause = PAUSE if self.account.deliveries.pending else IDLE
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.wakened.wait(), pause)
            finally:
                for sender in self.senders.values():
                    sender.cancel()

    def hand_out(self, http: httpx.AsyncClient) -> None:
        """Put what is due into its endpoint's queue, and see that somebody sends it."""
        deliveries = self.account.deliveries
        for delivery in deliveries.due():
            id_ = delivery.endpoint["id"]
            self.queues.setdefault(id_, deque()).append(delivery)
            if id_ not in self.senders or self.senders[id_].done():
                self.senders[id_] = asyncio.create_task(
                    self.send_all(http, deliveries, self.queues[id_])
                )

    async def send_all(
        self, http: httpx.AsyncClient, deliveries: Deliveries, queue: deque[Delivery]
    ) -> None:
        while queue:
            delivery = queue[0]
            status = await self.send(http, delivery)
            deliveries.ended(delivery, status)
            queue.popleft()

    async def send(self, http: httpx.AsyncClient, delivery: Delivery) -> int:
        """The status of the answer; 0 where there was none."""
        endpoint = delivery.endpoint
        body = json.dumps(payload(delivery.event, version_for(self.account, endpoint))).encode()
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            # Signed in real time, also where the event's own time is a test clock's.
            "stripe-signature": signature(endpoint["_secret"], body, int(time.time())),
        }
        try:
            answer = await http.post(
                endpoint["_url"],
                content=body,
                headers=headers,
                timeout=self.account.switches.webhook_timeout,
            )
        except (httpx.HTTPError, OSError):
            return 0
        return answer.status_code
