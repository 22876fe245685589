"""The transport to the Redis of our services: TCP, or Upstash's REST API."""

from typing import TYPE_CHECKING

from services.redis.commands import Commands
from services.redis.progress_feed import Feed
from services.redis.tcp import TcpCommands
from services.redis.tcp_feed import TcpFeed
from services.redis.upstash import ANSWER_TIMEOUT, RestEndpoint, UpstashCommands
from services.redis.upstash_feed import UpstashFeed

if TYPE_CHECKING:
    import redis


def commands_over(
    client: "redis.Redis", endpoint: RestEndpoint | None, timeout: float = ANSWER_TIMEOUT
) -> Commands:
    """Commands over REST where there is an endpoint, else over the TCP of `client`.

    `timeout` is that of REST, in seconds; a client has its own.
    """
    if endpoint is not None:
        return UpstashCommands(endpoint, timeout)
    return TcpCommands(client)


def feed_over(url: str, endpoint: RestEndpoint | None, training_id: str) -> Feed:
    """The live updates of a training, over REST where there is an endpoint, else over TCP."""
    if endpoint is not None:
        return UpstashFeed(endpoint, training_id)
    return TcpFeed(url, training_id)
