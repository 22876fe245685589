"""Commands over TCP, by redis-py."""

from typing import Any

import redis

from services.answers import count_redis_answer
from services.redis.commands import Command, refusal
from services.redis.connections import AWAY, down


class TcpCommands:
    """Any Redis or Valkey; timeouts and retries are those of the client."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client

    def run(self, *commands: Command) -> list[Any]:
        """See Commands.run."""
        try:
            with self.client.pipeline(transaction=False) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
                # An error that redis-py raises itself quotes the command with all its arguments.
                replies = pipeline.execute(raise_on_error=False)
        except AWAY as error:
            raise down(error) from error
        except redis.ResponseError as error:
            raise refusal("Redis", ("the connection",), message_of(error)) from error
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, redis.ResponseError):
                raise refusal("Redis", command, message_of(reply))
        if commands:
            count_redis_answer()
        return [decoded(reply) for reply in replies]


def message_of(error: redis.ResponseError) -> str:
    """What Redis answered, with the code in front that redis-py cuts off."""
    return f"{error.status_code or ''} {error}".lstrip()


def decoded(reply: Any) -> Any:
    """A reply with text in place of bytes."""
    if isinstance(reply, bytes):
        return reply.decode()
    return [decoded(each) for each in reply] if isinstance(reply, list) else reply
