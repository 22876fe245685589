"""Distributed locks: one process of the fleet at a time does what a provider has no step for."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from secrets import token_hex

from errors import InsightsError
from services.redis.commands import Commands, evaluate

PREFIX = "turn:"  # a name of old, kept since processes of two versions may run at once
LOCK_SECONDS = 120  # longer than any block takes; the lock of a holder that died ends by itself


class Locks:
    """Two commands per lock; every method raises ProviderDown."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.release_script = files("services.redis").joinpath("lock_release.lua").read_text()

    @contextmanager
    def acquire(self, name: str) -> Iterator[bool]:
        """Try once to take the lock for as long as the block lasts; whether it was free."""
        key, token = f"{PREFIX}{name}", token_hex(8)
        (acquired,) = self.commands.run(("SET", key, token, "NX", "EX", LOCK_SECONDS))
        try:
            yield bool(acquired)
        finally:
            if acquired:
                # The block is done: its outcome stands although the lock then ends by itself.
                with suppress(InsightsError):
                    self.commands.run(evaluate(self.release_script, [key], token))
