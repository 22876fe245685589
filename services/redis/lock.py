"""Locks: one of the whole fleet at a time, for what a provider cannot do in one step."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from secrets import token_hex

from errors import InsightsError
from services.redis.commands import Commands, evaluate

LONGEST = 120
"""In seconds: a turn whose holder died ends by itself."""


class Locks:
    """Two commands a turn; every method raises ProviderDown."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.script = files("services.redis").joinpath("lock_release.lua").read_text()

    @contextmanager
    def acquire(self, name: str) -> Iterator[bool]:
        """Whether it is the caller's turn, which then lasts as long as the block."""
        key, token = f"turn:{name}", token_hex(8)
        (mine,) = self.commands.run(("SET", key, token, "NX", "EX", LONGEST))
        try:
            yield bool(mine)
        finally:
            if mine:
                with suppress(InsightsError):
                    self.commands.run(evaluate(self.script, [key], token))
