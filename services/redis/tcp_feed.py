"""Live updates of one training over Redis pub/sub, on a connection of its own."""

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from events.progress import TrainingProgress
from services.redis.connections import AWAY, down
from services.redis.progress_feed import Feed

CONNECT_TIMEOUT = 1  # second: a browser waits for the first update
HEALTH_CHECK_INTERVAL = 30  # seconds between PINGs: a connection cut off silently is noticed


class TcpFeed(Feed):
    """A Feed over TCP."""

    def __init__(self, url: str, training_id: str) -> None:
        super().__init__(training_id)
        self.client = Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_TIMEOUT,
            health_check_interval=HEALTH_CHECK_INTERVAL,
            # redis-py would reconnect silently, and what was published meanwhile be missed.
            retry=Retry(NoBackoff(), 0),
            client_name="insights-progress",
        )
        self.subscription: PubSub | None = None

    async def next(self, seconds: float) -> TrainingProgress | None:
        """See Feed.next."""
        try:
            subscription = self.subscription or await self.subscribe()
            message = await subscription.get_message(timeout=seconds)
        except AWAY as error:
            await self.unsubscribe()
            raise down(error) from error
        if message is None or message["type"] != "message":
            return None
        return self.parse(message["data"])

    async def subscribe(self) -> PubSub:
        """Subscribe. Redis confirms it with the first message, from which on nothing is missed."""
        self.subscription = self.client.pubsub()
        await self.subscription.subscribe(self.channel)
        return self.subscription

    async def unsubscribe(self) -> None:
        """Close the subscription's connection, whatever state it is in."""
        subscription, self.subscription = self.subscription, None
        if subscription is not None:
            await subscription.aclose()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """See Feed.close."""
        await self.unsubscribe()
        await self.client.aclose()
