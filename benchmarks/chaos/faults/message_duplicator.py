"""Rings bells twice, late, out of order and for nothing, and takes others away unheard.

A bell says only that there is work, so none of this may change any effect.
"""

import json
import random
import threading
from collections import deque
from typing import cast
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.redis.doorbell import QUEUE_PREFIX, channel_of, queue_bell

LOOK_INTERVAL = 0.01  # s; a message waits in its queue for little longer
REMEMBERED = 500  # messages; as many are sent again at once
MADE_UP_SHARE = 0.3  # of what is sent again; such a bell has an id that was never sent
RETRY_INTERVAL = 0.2  # s


class MessageDuplicator(threading.Thread):
    """Remembers the messages that it saw in the queues, and sends copies of them.

    Copies thus arrive while the originals are handled, and after. While `loses` is set, it takes
    what it sees out of the queues.
    """

    def __init__(self, url: str, choice: random.Random) -> None:
        super().__init__(daemon=True, name="message-duplicator")
        self.client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        self.choice = choice
        self.seen: deque[tuple[bytes, bytes]] = deque(maxlen=REMEMBERED)
        self.known: set[bytes] = set()
        self.copies = 0
        self.lost = 0
        self.lock = threading.Lock()
        self.loses = threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look into the queues until stopped."""
        while not self.stopped.wait(LOOK_INTERVAL):
            try:
                self.look()
            except redis.RedisError:
                self.stopped.wait(RETRY_INTERVAL)

    def look(self) -> None:
        """Remember the messages that wait now, or lose them."""
        for queue in cast("list[bytes]", self.client.keys(f"{QUEUE_PREFIX}*")):
            for message in cast("list[bytes]", self.client.lrange(queue, 0, -1)):
                self.remember(queue, message)
                if self.loses.is_set():
                    self.lost += self.client.lrem(queue, 1, cast("str", message))

    def remember(self, queue: bytes, message: bytes) -> None:
        with self.lock:
            if message not in self.known:
                self.known.add(message)
                self.seen.append((queue, message))

    def send_again(self) -> None:
        """Send what is remembered once more, shuffled, and ring the queues' bells."""
        with self.lock:
            copies = [(queue, self.copy(message)) for queue, message in self.seen]
        self.choice.shuffle(copies)
        with self.client.pipeline(transaction=False) as pipeline:
            for queue, message in copies:
                pipeline.rpush(queue, message)
            for queue in {queue for queue, _ in copies}:
                name = queue.decode().removeprefix(QUEUE_PREFIX)
                pipeline.publish(channel_of(queue_bell(name)), b"")
            pipeline.execute()
        self.copies += len(copies)

    def copy(self, message: bytes) -> bytes:
        """The same message, or one that nobody sent."""
        if self.choice.random() >= MADE_UP_SHARE:
            return message
        made_up = UUID(int=self.choice.getrandbits(128), version=4)
        return json.dumps(json.loads(message) | {"message_id": str(made_up)}).encode()

    def stop(self) -> None:
        """Stop looking."""
        self.stopped.set()
        self.join()
        self.client.close()
