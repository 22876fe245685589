"""Live updates of one training: what every transport that brings them has in common."""

import json
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

from events.progress import TrainingProgress, progress_key
from services.redis.progress import parse


class Feed(ABC):
    """Subscribes at the first `next`, and listens while its `async with` block lasts."""

    def __init__(self, training_id: str) -> None:
        self.training_id = training_id
        self.channel = progress_key(training_id)

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
    async def next(self, seconds: float) -> TrainingProgress | None:
        """The next update, waiting up to `seconds` for it.

        None means that the hash should be read: the subscription is new and updates may have been
        missed, or nothing came. Raises ProviderDown; the next call connects again.
        """

    @abstractmethod
    async def close(self) -> None:
        """Close the connection, whatever state it is in."""

    def parse(self, data: str | bytes) -> TrainingProgress | None:
        """The state in a message; None for a message of another publisher that holds none."""
        try:
            fields: Any = json.loads(data)
        except ValueError:
            return None
        return parse(self.training_id, fields) if isinstance(fields, dict) else None
