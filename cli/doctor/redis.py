"""Whether Redis does what we use it for, and keeps what it is given."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import redis

from cli.doctor.finding import Finding, Status
from services.redis.connections import connect_quickly
from services.redis.self_test import self_test
from settings import MissingSetting, Settings

NAME = "Redis"
AWAY = "does not answer."
IS_IT_RIGHT = "Is it running, and REDIS_URL right?"
RIGHTS = (
    "Events are kept, but handled late or not at all. REDIS_URL must lead to a primary with free "
    "memory, and its user needs our keys, channels and commands: docs/operating.md, Servers."
)


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Try all that Redis is used for once, and read what it says of itself."""
    try:
        url = settings.redis
    except MissingSetting as error:
        yield Finding(NAME, Status.WRONG, "not configured", str(error))
        return
    yield from check_server(NAME, url, services=settings.upstash is None)
    if settings.broker != url and not settings.broker.startswith("amqp"):
        yield from check_server("Redis at BROKER_URL", settings.broker, services=False)


def check_server(name: str, url: str, *, services: bool) -> Iterator[Finding]:
    """Test one Redis; `services` says whether sessions, caches and the like are kept there."""
    with connect_quickly(url, "insights-doctor") as client:
        began = monotonic()
        errors = self_test(client, "it", services=services)
        took = (monotonic() - began) * 1000
        if errors:
            detail = "; ".join(error.removeprefix("it ") for error in errors)
            hint = IS_IT_RIGHT if detail == AWAY else RIGHTS
            yield Finding(name, Status.WRONG, detail, hint.replace("REDIS_URL", url_of(name)))
        else:
            yield from findings(info_of(client), took, name)


def url_of(name: str) -> str:
    """The setting that names a server."""
    return "REDIS_URL" if name == NAME else "BROKER_URL"


def info_of(client: "redis.Redis") -> dict[str, Any]:
    """What the server says of itself; some hosted ones refuse INFO, which gives {}."""
    try:
        return dict(client.info())
    except redis.RedisError:
        return {}


def findings(info: dict[str, Any], took: float, name: str = NAME) -> Iterator[Finding]:
    """The server's version, and a hint if it evicts keys; `took` is in milliseconds."""
    valkey = info.get("valkey_version")
    version = f"Valkey {valkey}" if valkey else info.get("redis_version", "version unknown")
    yield Finding(name, Status.OK, f"{version}, does what we use it for within {took:.1f} ms")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and info.get("maxmemory", 0):
        yield Finding(
            f"{name} memory",
            Status.HINT,
            f"maxmemory-policy is {policy}",
            "When memory is short, queues may be evicted. Nothing is lost, the database knows "
            "what is owed, but it is handled late. `maxmemory-policy noeviction` avoids that.",
        )
