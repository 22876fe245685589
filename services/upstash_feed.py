"""The live news of one training, heard over Upstash's server-sent events."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from errors import ProviderDown
from services.progress import Progress, understand

MESSAGE = "data: message,"


class UpstashFeed:
    """A Feed; the line is new after each silence, so the hash is read then."""

    def __init__(self, url: str, token: str, training_id: str) -> None:
        self.training_id = training_id
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        self.client = httpx.AsyncClient(base_url=url, headers=headers)
        self.line = AsyncExitStack()
        self.news: AsyncIterator[str] | None = None

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
            if self.news is None:
                self.news = await self.call(patience)
                return None
            async for line in self.news:
                if line.startswith(MESSAGE):
                    return self.understand(line)
        except httpx.ReadTimeout:
            await self.hang_up()
            return None
        except httpx.TransportError as error:
            await self.hang_up()
            raise ProviderDown(f"Upstash does not answer: {type(error).__name__}.") from error
        await self.hang_up()
        return None

    async def call(self, patience: float) -> AsyncIterator[str]:
        """Subscribe; the confirmation is the first line, from which on nothing is missed."""
        path = f"/subscribe/{quote(f'training:{self.training_id}', safe=':')}"
        timeout = httpx.Timeout(5, read=patience)
        answer = await self.line.enter_async_context(
            self.client.stream("POST", path, timeout=timeout)
        )
        if answer.is_error:
            await self.hang_up()
            raise ProviderDown(f"Upstash answers {answer.status_code}.")
        lines = answer.aiter_lines()
        await anext(lines, None)
        return lines

    async def hang_up(self) -> None:
        """End the line, whatever state it is in."""
        self.news = None
        await self.line.aclose()
        self.line = AsyncExitStack()

    def understand(self, line: str) -> Progress | None:
        """A message's news; its text may hold commas, its channel none."""
        _channel, _, data = line.removeprefix(MESSAGE).partition(",")
        try:
            fields: Any = json.loads(data)
        except ValueError:
            return None
        return understand(self.training_id, fields) if isinstance(fields, dict) else None
