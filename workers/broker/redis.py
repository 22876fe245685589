"""A dramatiq broker on Redis lists that is only a doorbell: fast, cheap, and allowed to lose all.

Dramatiq's own RedisBroker keeps acknowledgements and heartbeats, polls for ever, and hands the
messages of a worker that has been silent for a minute to another. Here PostgreSQL knows what is
owed, so a message is taken off its list once and never looked for again.
"""

import random
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import redis
import structlog
from dramatiq import Broker, Consumer, Message, MessageProxy
from dramatiq.errors import ConnectionClosed

from services.redis.connections import connect
from services.redis.doorbell import QUEUE_PREFIX, Listener, channel_of, queue_bell

log = structlog.get_logger()
# Seconds between looks without a ring: a lost ring costs seconds, since workers look into the
# database as well, and is rare, since the listener tests its connection every minute.
LOOK_EVERY = 900.0
RETRY_AFTER = 0.5  # seconds until Redis is asked again after a failure

# One script: a message that is in the list is rung for, whenever its sender dies.
SEND = """
redis.call('RPUSH', KEYS[1], unpack(ARGV, 2))
redis.call('PUBLISH', ARGV[1], '')
"""


class RedisDoorbellBroker(Broker):
    """Queues are lists of encoded messages; a pub/sub ring per queue wakes its consumers."""

    def __init__(self, url: str, concurrency: Mapping[str, int] | None = None) -> None:
        super().__init__(middleware=[])
        self.url = url
        self.concurrency = concurrency or {}
        self.client = connect(url)
        self.listener: Listener | None = None
        self.lock = threading.Lock()

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; there are no delay queues, the table schedules."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Consume a queue, as many messages at once as its handler allows."""
        places = self.concurrency.get(queue_name, prefetch)
        return RedisDoorbellConsumer(self, queue_name, places, timeout / 1000)

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send one message. Delays are not supported: `due_at` is the schedule."""
        if delay is not None:
            raise ValueError("Deliveries are delayed by their due_at, not by the broker.")
        self.send(message.queue_name, [message])
        return message

    def send(self, queue_name: str, messages: Sequence[Message[Any]]) -> None:
        """Send messages to one queue and ring, in one command. Raises ConnectionClosed."""
        encoded = [message.encode() for message in messages]
        channel = channel_of(queue_bell(queue_name))
        try:
            self.client.eval(SEND, 1, QUEUE_PREFIX + queue_name, channel, *encoded)
        except redis.RedisError as error:
            raise self.closed(error) from error

    def depths(self, queue_names: Iterable[str]) -> Mapping[str, int]:
        """How many messages wait in each queue. Raises ConnectionClosed."""
        names = list(queue_names)
        try:
            with self.client.pipeline(transaction=False) as line:
                for name in names:
                    line.llen(QUEUE_PREFIX + name)
                return dict(zip(names, line.execute(), strict=True))
        except redis.RedisError as error:
            raise self.closed(error) from error

    def closed(self, error: redis.RedisError) -> ConnectionClosed:
        """The error to raise when a command failed; the listener's connection is suspect, too."""
        if self.listener is not None:
            self.listener.test_connection()
        return ConnectionClosed(error)  # type: ignore[no-untyped-call]

    def test_connection(self, queue_name: str) -> None:
        """Find out whether bells still arrive: something has been due for long in a queue."""
        log.info("bells_suspect", queue=queue_name)
        if self.listener is not None:
            self.listener.test_connection()

    def bell(self, queue_name: str) -> threading.Event:
        """The event that is set when a queue's bell rings; all queues share one connection."""
        with self.lock:
            if self.listener is None:
                self.listener = Listener(self.url, map(queue_bell, self.queues))
                self.listener.start()
            return self.listener.bells[queue_bell(queue_name)]

    def flush(self, queue_name: str) -> None:
        """Forget a queue's messages; what they stood for falls due again."""
        self.client.delete(QUEUE_PREFIX + queue_name)

    def flush_all(self) -> None:
        """Forget the messages of all queues."""
        for name in self.queues:
            self.flush(name)

    def close(self) -> None:
        """Close the connections."""
        if self.listener is not None:
            self.listener.stop()
        self.client.close()


class RedisDoorbellConsumer(Consumer):
    """Looks when the bell rings, when a place is free and more may wait, and every 10 minutes."""

    def __init__(
        self, broker: RedisDoorbellBroker, queue_name: str, places: int, timeout: float
    ) -> None:
        self.broker = broker
        self.queue_name = queue_name
        self.timeout = timeout
        self.bell = broker.bell(queue_name)
        self.bell.set()
        self.cache: list[bytes] = []
        self.places = places
        self.place_free = threading.Condition()
        self.next_look = 0.0

    def __next__(self) -> MessageProxy | None:
        if not self.cache and not self.fetch():
            return None
        return MessageProxy(Message.decode(self.cache.pop(0)))

    def fetch(self) -> bool:
        """Take messages off the list when it is time to; return whether there are any."""
        # Never more than there is a free thread for: what is taken here is out of others' reach.
        with self.place_free:
            if not self.place_free.wait_for(lambda: self.places > 0, self.timeout):
                return False
            free = self.places
        if not self.bell.wait(self.timeout) and time.monotonic() < self.next_look:
            return False
        # Cleared before the look: a message that comes during it rings again.
        self.bell.clear()
        self.next_look = time.monotonic() + LOOK_EVERY * random.uniform(0.9, 1.1)  # noqa: S311
        try:
            taken = self.broker.client.lpop(QUEUE_PREFIX + self.queue_name, free)
        except redis.RedisError as error:
            self.broker.closed(error)
            log.warning("queue_away", queue=self.queue_name, error=type(error).__name__)
            self.bell.set()
            time.sleep(RETRY_AFTER)
            return False
        self.cache = cast("list[bytes]", taken or [])
        if len(self.cache) == free:
            self.bell.set()  # there may be more
        with self.place_free:
            self.places -= len(self.cache)
        return bool(self.cache)

    def ack(self, message: MessageProxy) -> None:  # noqa: ARG002 (dramatiq passes it by name)
        """Note a free place. Redis hears nothing of it: the message is off its list already."""
        with self.place_free:
            self.places += 1
            self.place_free.notify()

    nack = ack

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back what was taken but not begun, so that another worker has it at once."""
        given = [message._message for message in messages]  # noqa: SLF001
        if given:
            self.broker.send(self.queue_name, given)

    def close(self) -> None:
        """Give back what was taken and not begun."""
        unseen, self.cache = self.cache, []
        if unseen:
            self.broker.send(self.queue_name, [Message.decode(data) for data in unseen])
