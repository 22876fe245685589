"""Commands to a Redis, over whatever line: what all services of ours speak."""

import re
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from errors import InsightsError, ProviderDown

Word: TypeAlias = str | int | float
Command: TypeAlias = Sequence[Word]
QUOTE = re.compile(r"['\"`]")


class CommandFailed(InsightsError):
    """Raised when Redis understood a command but could not do it."""


# What is too large for Upstash begins with "ERR max" too, and stays so however often it is asked.
UNABLE = (
    "BUSY ", "CLUSTERDOWN", "ERR ACL failure", "ERR DB capacity", "ERR max concurrent",
    "ERR max daily", "ERR max number of clients", "ERR max requests", "LOADING", "MASTERDOWN",
    "MISCONF", "NOAUTH", "NOPERM", "NOREPLICAS", "OOM", "READONLY", "WRONGPASS",
)  # fmt: skip
"""How an error begins that says that this Redis cannot work for us now, whatever it is asked.

https://redis.io/docs/latest/develop/reference/errors, https://upstash.com/docs/redis/troubleshooting
"""


def refusal(name: str, command: Command, said: str) -> InsightsError:
    """The error to raise for one that Redis answered, without what it quotes of the command."""
    if said.startswith(UNABLE):
        return ProviderDown(f"{name} cannot work: {said[:200]}")
    return CommandFailed(f"{name} refused {command[0]}: {QUOTE.split(said)[0][:200]}")


class Commands(Protocol):
    """A line to a Redis. Strings come back as `str`, numbers as `int`, lists as lists."""

    def run(self, *commands: Command) -> list[Any]:
        """Run commands in one round trip, in order, not as a transaction; return their replies.

        Over TCP they may be run again where the line breaks or no answer comes, over REST never.
        Raises ProviderDown when Redis does not answer or cannot work, CommandFailed when it could
        not do one of them.
        """


def evaluate(script: str, keys: Sequence[str], *arguments: Word) -> Command:
    """The command that runs a script."""
    return ("EVAL", script, len(keys), *keys, *arguments)
