"""The real Redis behind Upstash's double, over RESP2 so that replies are as raw as Upstash's."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import redis.asyncio as redis
from redis.exceptions import ResponseError

from sandbox.upstash.commands import check_allowed

SHEBANG = "#!lua"
Reply = Any  # what Redis answers: bytes, int, None, nested lists


class Database:
    """Connects at the first command. `commands` counts what Upstash would bill."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.connected: redis.Redis | None = None
        self.commands = 0
        # By the SHA1 of a script as it was sent, the SHA1 of it as Redis keeps it.
        self.loaded_as: dict[str, str] = {}

    @property
    def client(self) -> "redis.Redis":
        """The client, which returns replies unconverted. Raises ResponseError without a URL."""
        if self.url is None:
            raise ResponseError("ERR this sandbox has no Redis")
        if self.connected is None:
            self.connected = redis.Redis.from_url(self.url, protocol=2)
            self.connected.response_callbacks.clear()
        return self.connected

    async def run(self, command: Sequence[Any]) -> Reply:
        """Execute one command; an error from Redis is returned, not raised.

        Raises RedisError where Redis cannot be reached.
        """
        self.commands += 1
        try:
            return await self.client.execute_command(*self.to_redis(command))  # type: ignore[no-untyped-call]
        except ResponseError as error:
            return error

    async def transaction(self, commands: Sequence[Sequence[Any]]) -> list[Reply]:
        """Execute all commands or none.

        Raises ResponseError where Redis discards them, or one of them is refused over REST.
        """
        self.commands += len(commands)
        async with self.client.pipeline(transaction=True) as transaction:
            transaction.response_callbacks.clear()
            for command in commands:
                transaction.execute_command(*self.to_redis(command))
            return list(await transaction.execute(raise_on_error=False))

    def to_redis(self, command: Sequence[Any]) -> list[str | bytes]:
        """The command as strings, with scripts as Redis takes them.

        Upstash's own SDKs begin scripts with `#!lua flags=allow-key-locking`, which Redis refuses.
        Without that line a script has another SHA1, so EVALSHA is translated.
        Raises ResponseError for a command that is refused over REST.
        """
        words = [as_text(word) for word in command]
        check_allowed(words)
        name = words[0].upper()
        if name == "EVAL":
            words[1] = without_shebang(words[1])
        elif name == "EVALSHA":
            words[1] = self.loaded_as.get(words[1], words[1])
        elif name == "SCRIPT" and words[1].upper() == "LOAD":
            script = without_shebang(words[2])
            self.loaded_as[sha1(words[2])] = sha1(script)
            words[2] = script
        return list(words)

    async def listen(self, channel: str) -> AsyncIterator[tuple[str, str, str | int]]:
        """Yield kind, channel and text of each message of a channel, the confirmation first."""
        async with self.client.pubsub() as subscription:
            await subscription.subscribe(channel)
            yield "subscribe", channel, 1
            while True:
                message = await subscription.get_message(
                    ignore_subscribe_messages=True, timeout=0.5
                )
                if message is not None:
                    yield "message", channel, message["data"].decode()

    async def close(self) -> None:
        if self.connected is not None:
            await self.connected.aclose()
            self.connected = None


def as_text(word: object) -> str:
    """A JSON value in a command, converted as Upstash converts it."""
    if isinstance(word, bool):
        return "true" if word else "false"
    return word if isinstance(word, str) else str(word)


def without_shebang(script: str) -> str:
    """A script without its first line, where that is a shebang."""
    return script.partition("\n")[2] if script.startswith(SHEBANG) else script


def sha1(script: str) -> str:
    """The hash by which EVALSHA names a script."""
    return hashlib.sha1(script.encode()).hexdigest()  # noqa: S324 (not for secrecy)
