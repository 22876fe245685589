"""A dramatiq broker on RabbitMQ, for those who outgrow one Redis; it, too, may lose all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dramatiq import Consumer, Message
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import ConnectionClosed
from pika.exceptions import AMQPError


class RabbitmqDoorbellBroker(RabbitmqBroker):
    """Dramatiq's own broker with what the relay needs: see Sender."""

    def __init__(self, url: str, concurrency: Mapping[str, int] | None = None) -> None:
        super().__init__(url=url, middleware=[])
        self.concurrency = concurrency or {}

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Consume a queue, as many messages at once as its handler allows."""
        return super().consume(queue_name, self.concurrency.get(queue_name, prefetch), timeout)

    def send(self, queue_name: str, messages: Sequence[Message[Any]]) -> None:
        """Send messages to one queue. Raises ConnectionClosed."""
        self.declare_queue(queue_name, ensure=True)
        for message in messages:
            self.enqueue(message)

    def depths(self, queue_names: Iterable[str]) -> Mapping[str, int]:
        """How many messages wait in each queue. Raises ConnectionClosed."""
        try:
            return {name: self.waiting(name) for name in queue_names}
        except AMQPError as error:
            # Dramatiq opens another one when this thread next needs it.
            del self.connection
            raise ConnectionClosed(error) from error  # type: ignore[no-untyped-call]

    def test_connection(self, queue_name: str) -> None:
        """Do nothing: AMQP's own heartbeats find a connection on which nothing arrives."""

    def waiting(self, queue_name: str) -> int:
        """How many messages wait in one queue."""
        self.declare_queue(queue_name, ensure=True)
        ready, _delayed, _dead = self.get_queue_message_counts(queue_name)
        return int(ready)
