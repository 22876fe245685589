"""A cache of JSON values that live for about an hour."""

import json
import random
import time
from collections.abc import Callable
from importlib.resources import files
from secrets import token_hex
from typing import Any

from services.redis.commands import Commands, evaluate

TTL = 3600  # seconds: how long a change may go unseen that nobody published
JITTER = 0.1  # of the TTL: what was set together does not end together
LOCK_SECONDS = 10.0  # longer than a query takes; who waits for a dead process waits no longer
POLL_SECONDS = 0.05  # one command each, while another process computes the value


class Cache:
    """Keys are whole, such as `dataset:{id}`. Every method raises ProviderDown."""

    def __init__(self, commands: Commands) -> None:
        self.commands = commands
        self.read_script, self.store_script, self.release_script = (
            files("services.redis").joinpath(f"{name}.lua").read_text()
            for name in ("cache_read", "cache_store", "lock_release")
        )

    def get(self, key: str) -> Any:
        """The value, None where there is none; one command."""
        (found,) = self.commands.run(("GET", key))
        return None if found is None else json.loads(found)

    def set(self, key: str, value: Any, ttl: int = TTL) -> None:
        """Store a value for `ttl` seconds, a tenth more or less; one command."""
        self.commands.run(("SET", key, json.dumps(value), "EX", jittered(ttl)))

    def exists(self, key: str) -> bool:
        """Whether there is a value; one command."""
        (found,) = self.commands.run(("EXISTS", key))
        return bool(found)

    def delete(self, *keys: str) -> None:
        """Delete values, and keep none that is being computed now; one command."""
        if keys:
            self.commands.run(("DEL", *keys, *map(lock_key, keys)))

    def read(self, key: str, compute: Callable[[], Any], ttl: int = TTL) -> Any:
        """The value; where there is none one caller computes it while the others wait for it.

        One command for a hit, two for the caller that computes. After 10 s the others wait no
        longer for it, and each computes the value for itself.
        """
        token, deadline = token_hex(8), time.monotonic() + LOCK_SECONDS
        lock = lock_key(key)
        command = evaluate(self.read_script, [key, lock], token, round(LOCK_SECONDS * 1000))
        while True:
            ((found, acquired),) = self.commands.run(command)
            if found is not None:
                return json.loads(found)
            if acquired or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        try:
            value = compute()
        except Exception:
            self.commands.run(evaluate(self.release_script, [lock], token))
            raise
        arguments = (token, json.dumps(value), jittered(ttl))
        self.commands.run(evaluate(self.store_script, [key, lock], *arguments))
        return value


def lock_key(key: str) -> str:
    """Key of the lock held by whoever computes the value."""
    return f"{key}:making"


def jittered(ttl: int) -> int:
    """A TTL, a tenth more or less, in seconds."""
    return max(1, round(ttl * random.uniform(1 - JITTER, 1 + JITTER)))  # noqa: S311
