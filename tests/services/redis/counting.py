"""How many commands something sends, and in how many round trips."""

from typing import Any

from services.redis.commands import Command, Commands


class Counting:
    """Commands that are counted before they are run."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.round_trips = 0
        self.count = 0

    def run(self, *commands: Command) -> list[Any]:
        self.round_trips += 1
        self.count += len(commands)
        return self.commands.run(*commands)
