"""Whether Redis answers, and keeps what it is given."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import redis

from cli.doctor.finding import Finding, Status
from settings import MissingSetting, Settings

NAME = "Redis"
TIMEOUT = 2.0  # seconds


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Ping Redis once, and read what it says of itself."""
    try:
        url = settings.redis
    except MissingSetting as error:
        yield Finding(NAME, Status.WRONG, "not configured", str(error))
        return
    options: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    try:
        with redis.Redis.from_url(url, retry=None, decode_responses=True, **options) as client:
            began = monotonic()
            client.ping()
            took = (monotonic() - began) * 1000
            yield from findings(info_of(client), took)
    except redis.RedisError as error:
        detail = f"does not answer: {type(error).__name__}"
        yield Finding(NAME, Status.WRONG, detail, "Is it running, and REDIS_URL right?")


def info_of(client: "redis.Redis") -> dict[str, Any]:
    """What the server says of itself; some hosted ones refuse INFO, which gives {}."""
    try:
        return dict(client.info())
    except redis.ResponseError:
        return {}


def findings(info: dict[str, Any], took: float) -> Iterator[Finding]:
    """The server's version, and a hint if it evicts keys; `took` is in milliseconds."""
    valkey = info.get("valkey_version")
    version = f"Valkey {valkey}" if valkey else info.get("redis_version", "version unknown")
    yield Finding(NAME, Status.OK, f"{version}, answers within {took:.1f} ms")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and info.get("maxmemory", 0):
        yield Finding(
            "Redis memory",
            Status.HINT,
            f"maxmemory-policy is {policy}",
            "When memory is short, queues may be evicted. Nothing is lost, the database knows "
            "what is owed, but it is handled late. `maxmemory-policy noeviction` avoids that.",
        )
