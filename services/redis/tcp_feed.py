"""Live updates of one training over Redis pub/sub, on a connection of its own."""

import time
from typing import Any

from redis import TimeoutError as RedisTimeoutError
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from events.progress import TrainingProgress
from services.redis.connections import AWAY, down
from services.redis.progress_feed import Feed

CONNECT_TIMEOUT = 1  # second: a browser waits for the first update
# Seconds without a sign of life until the connection is tested, and until it has an answer.
TEST_AFTER, ANSWER_WITHIN = 30.0, 5.0


class TcpFeed(Feed):
    """A Feed over TCP."""

    def __init__(self, url: str, training_id: str) -> None:
        super().__init__(training_id)
        self.client = Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_TIMEOUT,
            # redis-py would reconnect silently, and what was published meanwhile be missed.
            retry=Retry(NoBackoff(), 0),
            client_name="insights-progress",
        )
        self.subscription: PubSub | None = None
        self.heard_at = 0.0

    async def next(self, seconds: float) -> TrainingProgress | None:
        """See Feed.next."""
        try:
            subscription = self.subscription or await self.subscribe()
            message = await subscription.get_message(timeout=seconds)
            if message is None and time.monotonic() > self.heard_at + TEST_AFTER:
                message = await self.test(subscription)
        except AWAY as error:
            await self.unsubscribe()
            raise down(error) from error
        if message is None:
            return None
        self.heard_at = time.monotonic()
        if message["type"] != "message":
            return None
        return self.parse(message["data"])

    async def subscribe(self) -> PubSub:
        """Subscribe. Redis confirms it with the first message, from which on nothing is missed."""
        self.subscription = self.client.pubsub()
        await self.subscription.subscribe(self.channel)
        self.heard_at = time.monotonic()
        return self.subscription

    async def test(self, subscription: PubSub) -> dict[str, Any]:
        """What comes after a PING: its answer or an update. Raises RedisError, also for silence."""
        await subscription.ping()
        message: dict[str, Any] | None = await subscription.get_message(timeout=ANSWER_WITHIN)
        if message is None:
            raise RedisTimeoutError("Redis does not answer on this connection.")
        return message

    async def unsubscribe(self) -> None:
        """Close the subscription's connection, whatever state it is in."""
        subscription, self.subscription = self.subscription, None
        if subscription is not None:
            await subscription.aclose()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """See Feed.close."""
        await self.unsubscribe()
        await self.client.aclose()
