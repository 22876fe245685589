"""A cache of JSON values that live for an hour, more or less."""

import json
import random
import time
from collections.abc import Callable
from importlib.resources import files
from secrets import token_hex
from typing import Any

from services.redis.commands import Commands, evaluate

TTL = 3600
JITTER = 0.1
MAKING = 10.0
LOOK_AGAIN = 0.05


class Cache:
    """ApiKeys are whole, such as `dataset:{id}`. Every method raises ProviderDown."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.look, self.keep, self.drop = (
            files("services.redis").joinpath(f"{name}.lua").read_text()
            for name in ("cache_read", "cache_store", "lock_release")
        )

    def get(self, key: str) -> Any:
        """The value, None where there is none; one command."""
        (found,) = self.commands.run(("GET", key))
        return None if found is None else json.loads(found)

    def set(self, key: str, value: Any, ttl: int = TTL) -> None:
        """Keep a value for `ttl` seconds, a tenth more or less; one command."""
        self.commands.run(("SET", key, json.dumps(value), "EX", jittered(ttl)))

    def exists(self, key: str) -> bool:
        """Whether there is a value; one command."""
        (found,) = self.commands.run(("EXISTS", key))
        return bool(found)

    def delete(self, *keys: str) -> None:
        """Forget values, those too that are just being made; one command."""
        if keys:
            self.commands.run(("DEL", *keys, *map(maker, keys)))

    def read(self, key: str, make: Callable[[], Any], ttl: int = TTL) -> Any:
        """The value, made by one caller where there is none while the others wait for it.

        One command for a hit, two for whoever makes it. A maker that takes longer than 10 s, or
        dies, is waited for no longer.
        """
        token, deadline = token_hex(8), time.monotonic() + MAKING
        asked = evaluate(self.look, [key, maker(key)], token, round(MAKING * 1000))
        while True:
            ((found, first),) = self.commands.run(asked)
            if found is not None:
                return json.loads(found)
            if first or time.monotonic() > deadline:
                break
            time.sleep(LOOK_AGAIN)
        try:
            value = make()
        except Exception:
            self.commands.run(evaluate(self.drop, [maker(key)], token))
            raise
        arguments = (token, json.dumps(value), jittered(ttl))
        self.commands.run(evaluate(self.keep, [key, maker(key)], *arguments))
        return value


def maker(key: str) -> str:
    """Where it stands who makes a value now."""
    return f"{key}:making"


def jittered(ttl: int) -> int:
    """About so many seconds, so that what was set together does not end together."""
    return max(1, round(ttl * random.uniform(1 - JITTER, 1 + JITTER)))  # noqa: S311
