"""A connection to Redis for those whom a person waits for."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE = 1.0


def connect_quickly(url: str) -> "redis.Redis":
    """A client that tries again once, at once, on a broken line, and waits for nothing long."""
    return redis.Redis.from_url(
        url,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
        client_name="insights-web",
    )


def answers(client: "redis.Redis") -> bool:
    """Whether Redis is there."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
