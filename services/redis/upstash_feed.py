"""The live news of one training, heard over Upstash's server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from urllib.parse import quote

import httpx

from errors import ProviderDown
from services.redis.progress import Progress
from services.redis.progress_feed import Feed

MESSAGE = "data: message,"
PATIENCE = httpx.Timeout(5, read=300)
"""In seconds: a line that was silent for so long may be dead, and is called anew."""


class UpstashFeed(Feed):
    """A Feed over REST; a silence costs nothing: the same request goes on waiting."""

    def __init__(self, url: str, token: str, training_id: str) -> None:
        super().__init__(training_id)
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        self.client = httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE)
        self.line = AsyncExitStack()
        self.lines: AsyncIterator[str] | None = None
        self.coming: asyncio.Task[str] | None = None

    async def next(self, patience: float) -> Progress | None:
        """See Feed.next."""
        try:
            if self.lines is None:
                async with asyncio.timeout(patience):
                    self.lines = await self.call()
                return None
            self.coming = self.coming or asyncio.create_task(message_of(self.lines))
            arrived, _ = await asyncio.wait({self.coming}, timeout=patience)
            if not arrived:
                return None
            coming, self.coming = self.coming, None
            return self.understand(coming.result())
        except (httpx.TransportError, TimeoutError) as error:
            await self.hang_up()
            raise ProviderDown(f"Upstash does not answer: {type(error).__name__}.") from error
        except ProviderDown:
            await self.hang_up()
            raise

    async def call(self) -> AsyncIterator[str]:
        """Subscribe; the confirmation is the first line, from which on nothing is missed."""
        path = f"/subscribe/{quote(f'training:{self.training_id}', safe=':')}"
        answer = await self.line.enter_async_context(self.client.stream("POST", path))
        if answer.is_error:
            raise ProviderDown(f"Upstash answers {answer.status_code}.")
        lines = answer.aiter_lines()
        await anext(lines, None)
        return lines

    async def hang_up(self) -> None:
        """End the line, whatever state it is in."""
        coming, self.coming, self.lines = self.coming, None, None
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError, httpx.TransportError, ProviderDown):
                await coming
        await self.line.aclose()
        self.line = AsyncExitStack()

    async def close(self) -> None:
        """See Feed.close."""
        await self.hang_up()
        await self.client.aclose()


async def message_of(lines: AsyncIterator[str]) -> str:
    """What the next message holds; it may hold commas, its channel none. Raises ProviderDown."""
    async for line in lines:
        if line.startswith(MESSAGE):
            _channel, _, data = line.removeprefix(MESSAGE).partition(",")
            return data
    raise ProviderDown("Upstash ended the line.")
