"""Delivers messages twice and out of order: copies what waits in the queues, and sends it again."""

import random
import threading
from collections import deque
from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.redis.doorbell import channel_of, queue_bell
from workers.broker.redis import PREFIX

LOOK_EVERY = 0.01
REMEMBERED = 500


class Copier(threading.Thread):
    """Remembers messages that it saw waiting: copies come while they are handled, and after."""

    def __init__(self, url: str, choice: random.Random) -> None:
        super().__init__(daemon=True, name="copier")
        self.client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        self.choice = choice
        self.seen: deque[tuple[bytes, bytes]] = deque(maxlen=REMEMBERED)
        self.known: set[bytes] = set()
        self.copies = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Look into the queues until stopped."""
        while not self.stopped.wait(LOOK_EVERY):
            try:
                self.look()
            except redis.RedisError:
                self.stopped.wait(0.2)

    def look(self) -> None:
        """Remember what waits now."""
        for queue in cast("list[bytes]", self.client.keys(f"{PREFIX}*")):
            for message in cast("list[bytes]", self.client.lrange(queue, 0, -1)):
                with self.lock:
                    if message not in self.known:
                        self.known.add(message)
                        self.seen.append((queue, message))

    def deliver_again(self) -> int:
        """Send what is remembered once more, shuffled, and ring; return how many copies."""
        with self.lock:
            copies = list(self.seen)
        self.choice.shuffle(copies)
        with self.client.pipeline(transaction=False) as line:
            for queue, message in copies:
                line.rpush(queue, message)
            for queue in {queue for queue, _ in copies}:
                name = queue.decode().removeprefix(PREFIX)
                line.publish(channel_of(queue_bell(name)), b"")
            line.execute()
        self.copies += len(copies)
        return len(copies)

    def stop(self) -> None:
        """Stop looking."""
        self.stopped.set()
        self.join()
        self.client.close()
