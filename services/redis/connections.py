"""Connections to Redis over TCP: their timeouts, their retries, and when they are given up."""

import re
from typing import Any

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import DefaultParser
from redis.retry import Retry

from errors import ProviderDown

AWAY = (redis.ConnectionError, redis.TimeoutError)
# Seconds until a connection is given up on which a command was sent. A script of ours takes
# milliseconds; with all retries, each on a new connection, a caller waits for 10 s.
COMMAND_TIMEOUT = 2.5
CONNECT_TIMEOUT = 2  # seconds; beyond that nobody listens there
RETRIES = 3
REQUEST_TIMEOUT = 1.0  # seconds; somebody waits for the answer of the HTTP request

# What a server answers that has become a replica, has lost its primary or its replicas, or is cut
# off from its cluster: the address may lead to another by now. Before Redis 7 a script's own error
# stands behind "ERR Error running script …: -". https://redis.io/docs/latest/develop/reference/errors
NOT_SERVING = re.compile(r"(?:^|: -)(READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS)\b")


class NotServing(redis.ConnectionError):
    """Raised when the server at the other end serves no more: its connection is of no use."""


# Errors of a server that answers, but serves nobody: not now, or not this user.
SERVES_NOT = (NotServing, redis.AuthenticationError, redis.BusyLoadingError)


class FailoverParser(DefaultParser):  # type: ignore[misc, valid-type]
    """Answers that say "not me" break the connection, so that redis-py connects anew and retries.

    LOADING and "max number of clients" break it in redis-py already. OOM, MISCONF and BUSY do not:
    a new connection would lead to the same server, so their callers wait.
    """

    @classmethod
    def parse_error(cls, response: str) -> redis.RedisError:
        """The error to raise for an error that Redis answered."""
        if found := NOT_SERVING.search(response):
            return NotServing(response[found.start(1) :])
        error: redis.RedisError = super().parse_error(response)
        return error


def client_of(url: str, name: str, **options: Any) -> "redis.Redis":
    """A client that gives a connection up when its server says that it serves no more."""
    return redis.Redis.from_url(url, client_name=name, parser_class=FailoverParser, **options)


def connect(url: str) -> "redis.Redis":
    """A client for workers and commands; HTTP requests have connect_quickly.

    It gives up within half a second where nobody listens, within 11 s where nobody answers: four
    tries of 2.5 s each.
    """
    return client_of(
        url,
        "insights",
        socket_timeout=COMMAND_TIMEOUT,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), RETRIES),
    )


def connect_quickly(url: str, name: str = "insights-web") -> "redis.Redis":
    """A client that answers within a second: one more try on a broken connection, none later."""
    return client_of(
        url,
        name,
        socket_timeout=REQUEST_TIMEOUT,
        socket_connect_timeout=REQUEST_TIMEOUT,
        retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
    )


def connect_listener(url: str) -> "redis.Redis":
    """A client for pub/sub; it never tries again by itself, since it would miss what rang then."""
    return client_of(
        url,
        "insights-listener",
        socket_timeout=COMMAND_TIMEOUT,
        socket_connect_timeout=CONNECT_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def down(error: Exception) -> ProviderDown:
    """The error to raise when Redis is away."""
    if isinstance(error, SERVES_NOT):
        return ProviderDown(f"Redis cannot work: {str(error)[:200]}")
    return ProviderDown(f"Redis does not answer: {type(error).__name__}.")
