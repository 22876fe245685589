"""Commands over TCP, by redis-py."""

from typing import Any

import redis

from services.redis.commands import Command, refusal
from services.redis.connections import AWAY, down


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
                # An error that redis-py raises itself quotes the command, whatever it holds.
                replies = line.execute(raise_on_error=False)
        except AWAY as error:
            raise down(error) from error
        except redis.ResponseError as error:
            raise refusal("Redis", ("the connection",), said(error)) from error
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, redis.ResponseError):
                raise refusal("Redis", command, said(reply))
        return [plain(reply) for reply in replies]


def said(error: redis.ResponseError) -> str:
    """What Redis said, with the word that redis-py cuts off."""
    return f"{error.status_code or ''} {error}".lstrip()


def plain(reply: Any) -> Any:
    """A reply with text in place of bytes."""
    if isinstance(reply, bytes):
        return reply.decode()
    return [plain(each) for each in reply] if isinstance(reply, list) else reply
