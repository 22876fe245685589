"""Which broker a URL asks for, and what the relay needs of any of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dramatiq import Message

from handlers import Handler
from workers.broker.redis import RedisDoorbellBroker

if TYPE_CHECKING:
    from workers.broker.rabbitmq import RabbitmqDoorbellBroker


class Sender(Protocol):
    """What the relay needs of a broker. Both methods raise dramatiq's ConnectionClosed."""

    def send(self, queue_name: str, messages: Sequence[Message[Any]]) -> None:
        """Send messages to one queue."""

    def depths(self, queue_names: Iterable[str]) -> Mapping[str, int]:
        """How many messages wait in each queue."""


def make_broker(
    url: str, handlers: Iterable[Handler] = ()
) -> "RedisDoorbellBroker | RabbitmqDoorbellBroker":
    """The broker for a URL: `redis://`, `rediss://`, `unix://` or `amqp://`, `amqps://`."""
    concurrency = {handler.name: handler.concurrency for handler in handlers}
    if url.startswith(("amqp://", "amqps://")):
        from workers.broker.rabbitmq import RabbitmqDoorbellBroker  # noqa: PLC0415 (seldom used)

        return RabbitmqDoorbellBroker(url, concurrency)
    return RedisDoorbellBroker(url, concurrency)
