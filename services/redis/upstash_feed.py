"""Live updates of one training over Upstash's server-sent events.

https://upstash.com/docs/redis/features/restapi; the vendor's client cannot subscribe.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from urllib.parse import quote

import httpx

from errors import ProviderDown
from events.progress import TrainingProgress
from services.redis.progress_feed import Feed
from services.redis.upstash import RestEndpoint

MESSAGE = "data: message,"
TIMEOUT = httpx.Timeout(5, read=300)  # seconds: a stream silent for so long may be dead


class UpstashFeed(Feed):
    """A Feed over REST; a silence costs nothing: the same request goes on waiting."""

    def __init__(self, endpoint: RestEndpoint, training_id: str) -> None:
        super().__init__(training_id)
        headers = {"Authorization": f"Bearer {endpoint.token}", "Accept": "text/event-stream"}
        self.client = httpx.AsyncClient(base_url=endpoint.url, headers=headers, timeout=TIMEOUT)
        self.response = AsyncExitStack()
        self.lines: AsyncIterator[str] | None = None
        self.pending: asyncio.Task[str] | None = None

    async def next(self, seconds: float) -> TrainingProgress | None:
        """See Feed.next."""
        try:
            if self.lines is None:
                async with asyncio.timeout(seconds):
                    self.lines = await self.subscribe()
                return None
            # Kept between calls: cancelling it at each timeout would end the stream.
            self.pending = self.pending or asyncio.create_task(next_message(self.lines))
            arrived, _ = await asyncio.wait({self.pending}, timeout=seconds)
            if not arrived:
                return None
            pending, self.pending = self.pending, None
            return self.parse(pending.result())
        except (httpx.TransportError, TimeoutError) as error:
            await self.unsubscribe()
            raise ProviderDown(f"Upstash does not answer: {type(error).__name__}.") from error
        except ProviderDown:
            await self.unsubscribe()
            raise

    async def subscribe(self) -> AsyncIterator[str]:
        """Subscribe; the confirmation is the first line, from which on nothing is missed."""
        path = f"/subscribe/{quote(self.channel, safe=':')}"
        answer = await self.response.enter_async_context(self.client.stream("POST", path))
        if answer.is_error:
            raise ProviderDown(f"Upstash answers {answer.status_code}.")
        lines = answer.aiter_lines()
        await anext(lines, None)
        return lines

    async def unsubscribe(self) -> None:
        """End the stream, whatever state it is in."""
        pending, self.pending, self.lines = self.pending, None, None
        if pending is not None:
            pending.cancel()
            with suppress(asyncio.CancelledError, httpx.TransportError, ProviderDown):
                await pending
        await self.response.aclose()
        self.response = AsyncExitStack()

    async def close(self) -> None:
        """See Feed.close."""
        await self.unsubscribe()
        await self.client.aclose()


async def next_message(lines: AsyncIterator[str]) -> str:
    """The data of the next message; it may hold commas, its channel none. Raises ProviderDown."""
    async for line in lines:
        if line.startswith(MESSAGE):
            _channel, _, data = line.removeprefix(MESSAGE).partition(",")
            return data
    raise ProviderDown("Upstash ended the stream.")
