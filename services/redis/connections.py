"""Connections to Redis: how long they wait, how often they try."""

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from errors import ProviderDown

AWAY = (redis.ConnectionError, redis.TimeoutError)


def connect(url: str) -> "redis.Redis":
    """A client for those whom no person waits for; see redis_quick for the others.

    It gives up within half a second where nobody listens, within 21 s where nobody answers: four
    tries of 5 s each.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=5,
        socket_connect_timeout=2,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 3),
        client_name="insights",
    )


def connect_listener(url: str) -> "redis.Redis":
    """A client for pub/sub: one PING a minute tells whether the line is still there."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=2, health_check_interval=60, client_name="insights-listener"
    )


def down(error: Exception) -> ProviderDown:
    """The error to raise when Redis is away."""
    return ProviderDown(f"Redis does not answer: {type(error).__name__}.")
