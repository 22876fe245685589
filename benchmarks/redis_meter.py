"""Measures what a Redis did meanwhile, commands and memory, without counting the measuring."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import redis


class RedisMeter:
    """Commands count as the server counts them, those inside of scripts too.

    On a Redis that others use at the same time, their commands are counted as well.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client
        self.own_commands = 0
        self.first_commands = self.read()["total_commands_processed"]
        self.first_memory = self.peak_memory = self.memory()

    def read(self) -> dict[str, int]:
        """The server's figures; asking for them is one command of our own."""
        found: dict[str, int] = self.client.info()
        self.own_commands += 1
        return found

    def memory(self) -> int:
        """Bytes in use now."""
        return self.read()["used_memory"]

    def look(self) -> None:
        """Take note of the memory in use."""
        self.peak_memory = max(self.peak_memory, self.memory())

    @property
    def commands(self) -> int:
        """Commands of others since the meter was made."""
        # Taken before `read` adds one: the server counts a command after answering it.
        own = self.own_commands
        return self.read()["total_commands_processed"] - self.first_commands - own

    @property
    def megabytes(self) -> float:
        """How much the memory in use grew at the highest seen, in units of 1,000,000 bytes."""
        return (self.peak_memory - self.first_memory) / 1e6
