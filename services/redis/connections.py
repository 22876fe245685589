"""Connections to Redis over TCP: their timeouts and retries."""

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from errors import ProviderDown

AWAY = (redis.ConnectionError, redis.TimeoutError)
COMMAND_TIMEOUT = 5  # seconds; a script of ours takes milliseconds, a failover a few seconds
CONNECT_TIMEOUT = 2  # seconds; beyond that nobody listens there
RETRIES = 3
REQUEST_TIMEOUT = 1.0  # seconds; somebody waits for the answer of the HTTP request
PING_INTERVAL = 60  # seconds; enough to keep a subscription alive through NATs and proxies


def connect(url: str) -> "redis.Redis":
    """A client for workers and commands; HTTP requests have connect_quickly.

    It gives up within half a second where nobody listens, within 21 s where nobody answers: four
    tries of 5 s each.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=COMMAND_TIMEOUT,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), RETRIES),
        client_name="insights",
    )


def connect_quickly(url: str) -> "redis.Redis":
    """A client for HTTP requests: one more try on a broken connection, none after a timeout."""
    return redis.Redis.from_url(
        url,
        socket_timeout=REQUEST_TIMEOUT,
        socket_connect_timeout=REQUEST_TIMEOUT,
        retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
        client_name="insights-web",
    )


def connect_listener(url: str) -> "redis.Redis":
    """A client for pub/sub, without a command timeout; a PING shows that it still is connected."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_TIMEOUT,
        health_check_interval=PING_INTERVAL,
        client_name="insights-listener",
    )


def answers(client: "redis.Redis") -> bool:
    """Whether Redis answers."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def down(error: Exception) -> ProviderDown:
    """The error to raise when Redis is away."""
    return ProviderDown(f"Redis does not answer: {type(error).__name__}.")
