"""Commands over TCP, by redis-py."""

from typing import Any

import redis

from services.commands import Command, refusal
from services.redis import AWAY, down

# redis-py cuts these words off the text.
CODES = {
    redis.ReadOnlyError: "READONLY ",
    redis.OutOfMemoryError: "OOM ",
    redis.AuthenticationError: "NOAUTH ",
}


class TcpCommands:
    """Any Redis or Valkey; the client decides how long it waits."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client

    def run(self, *commands: Command) -> list[Any]:
        """See Commands.run."""
        try:
            with self.client.pipeline(transaction=False) as line:
                for command in commands:
                    line.execute_command(*command)  # type: ignore[no-untyped-call]
                return [plain(reply) for reply in line.execute()]
        except AWAY as error:
            raise down(error) from error
        except redis.ResponseError as error:
            raise refusal("Redis", commands[0], f"{CODES.get(type(error), '')}{error}") from error


def plain(reply: Any) -> Any:
    """A reply with text in place of bytes."""
    if isinstance(reply, bytes):
        return reply.decode()
    return [plain(each) for each in reply] if isinstance(reply, list) else reply
