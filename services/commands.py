"""Commands to a Redis, over whatever line: what all services of ours speak."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from errors import InsightsError, ProviderDown

Word: TypeAlias = str | int | float
Command: TypeAlias = Sequence[Word]


class CommandFailed(InsightsError):
    """Raised when Redis understood a command but could not do it."""


UNABLE = (
    "CLUSTERDOWN", "ERR max", "LOADING", "MISCONF", "NOAUTH", "NOREPLICAS", "OOM", "READONLY",
    "WRONGPASS",
)  # fmt: skip
"""How an error begins that says that this Redis cannot work now, whatever it is asked."""


def refusal(name: str, command: Command, said: str) -> InsightsError:
    """The error to raise for one that Redis answered."""
    if said.startswith(UNABLE):
        return ProviderDown(f"{name} cannot work: {said[:200]}")
    return CommandFailed(f"{name} refused {command[0]}: {said[:200]}")


class Commands(Protocol):
    """A line to a Redis. Strings come back as `str`, numbers as `int`, lists as lists."""

    def run(self, *commands: Command) -> list[Any]:
        """Run commands in one round trip, in order, not as a transaction; return their replies.

        Over a broken line of TCP they may be run twice, over REST never. Raises ProviderDown when
        Redis does not answer, CommandFailed when it could not do one of them.
        """


def evaluate(script: str, keys: Sequence[str], *arguments: Word) -> Command:
    """The command that runs a script."""
    return ("EVAL", script, len(keys), *keys, *arguments)
