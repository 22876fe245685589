"""The live news of one training: what every line that brings them has in common."""

import json
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from services.redis.progress import Progress, understand


class Feed(ABC):
    """Listens from the first `next` on, while its `async with` block lasts."""

    def __init__(self, training_id: str) -> None:
        self.training_id = training_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @abstractmethod
    async def next(self, patience: float) -> Progress | None:
        """The next news, waiting up to `patience` seconds for it.

        None says that the hash should be read: the line is new and news may have been missed,
        or nothing came. Raises ProviderDown; the next call tries a new line.
        """

    @abstractmethod
    async def close(self) -> None:
        """End the line, whatever state it is in."""

    def understand(self, data: str | bytes) -> Progress | None:
        """A message's news; None for what anybody else may have sent."""
        try:
            fields: Any = json.loads(data)
        except ValueError:
            return None
        return understand(self.training_id, fields) if isinstance(fields, dict) else None
