"""What a Redis did meanwhile: commands and memory, without the asking itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import redis


class Meter:
    """Commands count as the server counts them, those inside of scripts too.

    On a Redis that others use at the same time, theirs are counted with ours.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client
        self.asked = 0
        self.first_commands = self.read()["total_commands_processed"]
        self.first_memory = self.peak_memory = self.memory()

    def read(self) -> dict[str, int]:
        """The server's figures, of which one command more is our own."""
        found: dict[str, int] = self.client.info()
        self.asked += 1
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
        asked = self.asked
        return self.read()["total_commands_processed"] - self.first_commands - asked

    @property
    def megabytes(self) -> float:
        """How much more memory was in use at the worst moment seen, in units of 1,000,000."""
        return (self.peak_memory - self.first_memory) / 1e6
