"""How many commands something sends, and in how many round trips."""

from typing import Any

from services.redis.commands import Command, Commands


class Counting:
    """A line that counts what goes over it."""

    def __init__(self, line: Commands) -> None:
        self.line = line
        self.trips = 0
        self.commands = 0

    def run(self, *commands: Command) -> list[Any]:
        self.trips += 1
        self.commands += len(commands)
        return self.line.run(*commands)

    def take(self) -> tuple[int, int]:
        """Round trips and commands since the last time."""
        taken = self.trips, self.commands
        self.trips = self.commands = 0
        return taken
