"""Which line leads to the Redis of our services: TCP, or Upstash's REST door."""

from typing import TYPE_CHECKING

from services.redis.commands import Commands
from services.redis.progress_feed import Feed
from services.redis.tcp import TcpCommands
from services.redis.tcp_feed import TcpFeed
from services.redis.upstash import PATIENCE, UpstashCommands
from services.redis.upstash_feed import UpstashFeed

if TYPE_CHECKING:
    import redis


def commands_over(
    client: "redis.Redis", rest_url: str | None, token: str | None, patience: float = PATIENCE
) -> Commands:
    """Commands over REST where its address and token are known, else over a client's TCP.

    `patience` is REST's, in seconds; a client has its own.
    """
    if rest_url and token:
        return UpstashCommands(rest_url, token, patience)
    return TcpCommands(client)


def feed_over(url: str, rest_url: str | None, token: str | None, training_id: str) -> Feed:
    """The live news of a training, over REST where it is known, else from a Redis at `url`."""
    if rest_url and token:
        return UpstashFeed(rest_url, token, training_id)
    return TcpFeed(url, training_id)
