"""The live news of one training, heard over Redis pub/sub on a connection of its own."""

import json
from types import TracebackType
from typing import Any, Protocol, Self

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.progress import Progress, understand
from services.redis import AWAY, down


class Feed(Protocol):
    """The live news of one training, while its `async with` block lasts."""

    async def __aenter__(self) -> Self:
        """Begin to listen, at the first `next`."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the line."""

    async def next(self, patience: float) -> Progress | None:
        """The next news, waiting up to `patience` seconds for it.

        None says that the hash should be read: the line is new and news may have been missed,
        or nothing came. Raises ProviderDown; the next call tries a new line.
        """


class ProgressFeed:
    """Listens while its `async with` block lasts; the connection ends with the block."""

    def __init__(self, url: str, training_id: str) -> None:
        self.training_id = training_id
        self.client = Redis.from_url(
            url,
            socket_connect_timeout=1,
            health_check_interval=30,
            retry=Retry(NoBackoff(), 0),
            client_name="insights-progress",
        )
        self.line: PubSub | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.hang_up()
        await self.client.aclose()

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

    def understand(self, data: bytes) -> Progress | None:
        """A message's news; None for what anybody else may have sent."""
        try:
            fields: Any = json.loads(data)
        except ValueError:
            return None
        return understand(self.training_id, fields) if isinstance(fields, dict) else None
