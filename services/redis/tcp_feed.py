"""The live news of one training, heard over Redis pub/sub on a connection of its own."""

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.redis.connections import AWAY, down
from services.redis.progress import Progress
from services.redis.progress_feed import Feed


class TcpFeed(Feed):
    """A Feed over TCP."""

    def __init__(self, url: str, training_id: str) -> None:
        super().__init__(training_id)
        self.client = Redis.from_url(
            url,
            socket_connect_timeout=1,
            health_check_interval=30,
            retry=Retry(NoBackoff(), 0),
            client_name="insights-progress",
        )
        self.line: PubSub | None = None

    async def next(self, patience: float) -> Progress | None:
        """See Feed.next."""
        try:
            line = self.line or await self.call()
            message = await line.get_message(timeout=patience)
        except AWAY as error:
            await self.hang_up()
            raise down(error) from error
        if message is None or message["type"] != "message":
            return None
        return self.understand(message["data"])

    async def call(self) -> PubSub:
        """Subscribe. Redis confirms it with the first message, from which on nothing is missed."""
        self.line = self.client.pubsub()
        await self.line.subscribe(f"training:{self.training_id}")
        return self.line

    async def hang_up(self) -> None:
        """Close the line, whatever state it is in."""
        line, self.line = self.line, None
        if line is not None:
            await line.aclose()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """See Feed.close."""
        await self.hang_up()
        await self.client.aclose()
