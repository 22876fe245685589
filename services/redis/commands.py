"""Commands to Redis, whatever the transport, and the errors that its answers become."""

import re
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from errors import InsightsError, ProviderDown

Word: TypeAlias = str | int | float
Command: TypeAlias = Sequence[Word]
QUOTE = re.compile(r"['\"`]")


class CommandFailed(InsightsError):
    """Raised when Redis answered that it cannot do a command."""


class CannotWork(ProviderDown):
    """Raised when Redis answered that it cannot work, now or for this user, whatever is asked."""


# How an error begins when this Redis cannot work now, whatever it is asked. "ERR max" alone would
# be too wide: Upstash says so too of a request that is too large, and that stays too large.
# https://redis.io/docs/latest/develop/reference/errors, https://upstash.com/docs/redis/troubleshooting
UNABLE = (
    "BUSY ", "CLUSTERDOWN", "ERR ACL failure", "ERR DB capacity", "ERR max concurrent",
    "ERR max daily", "ERR max number of clients", "ERR max requests", "LOADING", "MASTERDOWN",
    "MISCONF", "NOAUTH", "NOPERM", "NOREPLICAS", "OOM", "READONLY", "WRONGPASS",
)  # fmt: skip


def refusal(name: str, command: Command, message: str) -> InsightsError:
    """The error to raise for one that Redis answered, without what it quotes of the command."""
    if message.startswith(UNABLE):
        return CannotWork(f"{name} cannot work: {message[:200]}")
    return CommandFailed(f"{name} refused {command[0]}: {QUOTE.split(message)[0][:200]}")


class Commands(Protocol):
    """A transport to Redis. Strings come back as `str`, numbers as `int`, lists as lists.

    What SET answers is only true or false.
    """

    def run(self, *commands: Command) -> list[Any]:
        """Run commands in one round trip, in order, not as a transaction; return their replies.

        Without a command nothing is sent. Over TCP they may be run again where the connection
        breaks or no answer comes, over REST never. Raises ProviderDown when Redis does not answer
        or cannot work, CommandFailed when it could not do one of them.
        """


def evaluate(script: str, keys: Sequence[str], *arguments: Word) -> Command:
    """The command that runs a script."""
    return ("EVAL", script, len(keys), *keys, *arguments)
