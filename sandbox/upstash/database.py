"""The Redis behind the door, asked in RESP2 so that replies are as raw as Upstash's."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import redis.asyncio as redis
from redis.exceptions import ResponseError

from sandbox.upstash.refusal import check

SHEBANG = "#!lua"
Reply = Any


class Database:
    """Connects when it is first asked."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.connected: redis.Redis | None = None
        self.commands = 0
        self.shas: dict[str, str] = {}

    @property
    def client(self) -> "redis.Redis":
        """The client, whose replies nobody interprets."""
        if self.url is None:
            raise ResponseError("ERR this sandbox has no Redis")
        if self.connected is None:
            self.connected = redis.Redis.from_url(self.url, protocol=2)
            self.connected.response_callbacks.clear()
        return self.connected

    async def run(self, command: Sequence[Any]) -> Reply:
        """One command; an error of it is returned, not raised."""
        self.commands += 1
        try:
            return await self.client.execute_command(*self.plain(command))  # type: ignore[no-untyped-call]
        except ResponseError as error:
            return error

    async def transaction(self, commands: Sequence[Sequence[Any]]) -> list[Reply]:
        """All or none. Raises ResponseError where the transaction was discarded."""
        self.commands += len(commands)
        async with self.client.pipeline(transaction=True) as line:
            line.response_callbacks.clear()
            for command in commands:
                line.execute_command(*self.plain(command))
            return list(await line.execute(raise_on_error=False))

    def plain(self, command: Sequence[Any]) -> list[str | bytes]:
        """The command as strings; Upstash's own script flags, which Redis refuses, are cut off.

        Raises ResponseError for a command that is not taken over REST.
        """
        words = [text_of(word) for word in command]
        check(words)
        name = words[0].upper()
        if name == "EVAL":
            words[1] = without_shebang(words[1])
        elif name == "EVALSHA":
            words[1] = self.shas.get(words[1], words[1])
        elif name == "SCRIPT" and words[1].upper() == "LOAD":
            script = without_shebang(words[2])
            self.shas[sha1(words[2])] = sha1(script)
            words[2] = script
        return list(words)

    async def listen(self, channel: str) -> AsyncIterator[tuple[str, str, str | int]]:
        """The messages of a channel, the confirmation first: kind, channel, text."""
        async with self.client.pubsub() as line:
            await line.subscribe(channel)
            yield "subscribe", channel, 1
            while True:
                message = await line.get_message(ignore_subscribe_messages=True, timeout=0.5)
                if message is not None:
                    yield "message", channel, message["data"].decode()

    async def close(self) -> None:
        """Close the connections."""
        if self.connected is not None:
            await self.connected.aclose()
            self.connected = None


def text_of(word: object) -> str:
    """A word of a command as Upstash writes it."""
    if isinstance(word, bool):
        return "true" if word else "false"
    return word if isinstance(word, str) else str(word)


def without_shebang(script: str) -> str:
    """A script without its first line, where that holds flags."""
    return script.partition("\n")[2] if script.startswith(SHEBANG) else script


def sha1(script: str) -> str:
    """The name under which Redis keeps a script."""
    return hashlib.sha1(script.encode()).hexdigest()  # noqa: S324 (Redis names scripts so)
