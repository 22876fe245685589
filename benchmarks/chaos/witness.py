"""Watches the live progress from outside, and remembers all that was ever shown.

Each time Redis loses its memory a new life begins: then what was shown before may come again.
Within a life, newer news must never be followed by older.
"""

import json
import threading
from collections import defaultdict

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from benchmarks.chaos.errors import ChaosFailed
from errors import ProviderDown
from events.progress import PROGRESS_PREFIX, TrainingProgress, progress_key
from services.redis.progress import ProgressBoard, parse
from services.redis.tcp import TcpCommands

WIPED = progress_key("wiped")
BACK_WITHIN = 30.0


class Witness(threading.Thread):
    """Listens to all trainings. `shown` and `stale` may be read once it has stopped."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True, name="witness")
        self.client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        self.board = ProgressBoard(TcpCommands(self.client))
        self.shown: dict[str, set[TrainingProgress]] = defaultdict(set)
        self.stale: list[TrainingProgress] = []
        self.newest: dict[str, TrainingProgress] = {}
        self.listening = threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Listen until stopped, in one life of Redis after another."""
        while not self.stopped.is_set():
            try:
                self.live()
            except (redis.RedisError, ProviderDown):
                self.listening.clear()
                self.stopped.wait(0.02)

    def live(self) -> None:
        """One connection. What was shown before it stood is still on the board."""
        self.newest = {}
        with self.client.pubsub() as line:  # type: ignore[no-untyped-call]
            line.psubscribe(f"{PROGRESS_PREFIX}*")
            line.get_message(timeout=5)
            for id_ in self.on_the_board():
                if (news := self.read(id_)) is not None:
                    self.shown[id_].add(news)
            self.listening.set()
            while not self.stopped.is_set():
                message = line.get_message(ignore_subscribe_messages=True, timeout=0.5)
                if message is not None:
                    self.hear(message["channel"].decode(), message["data"])

    def hear(self, channel: str, data: bytes) -> None:
        """Note what was shown, and whether it was older than what stood there."""
        if channel == WIPED:
            self.newest = {}
            return
        id_ = channel.removeprefix(PROGRESS_PREFIX)
        news = parse(id_, json.loads(data))
        if news is None:
            return
        self.shown[id_].add(news)
        known = self.newest.setdefault(id_, news)
        if rank(news) < rank(known):
            self.stale.append(news)
        else:
            self.newest[id_] = news

    def wipe(self) -> None:
        """Flush Redis, and have the new life begin for the witness at that very point."""
        with self.client.pipeline(transaction=True) as line:
            line.flushall()
            line.publish(WIPED, b"")
            line.execute()

    def on_the_board(self) -> list[str]:
        """The trainings that the board shows now."""
        found = self.client.scan_iter(f"{PROGRESS_PREFIX}*", count=1000)
        return [key.decode().removeprefix(PROGRESS_PREFIX) for key in found]

    def read(self, id_: str) -> TrainingProgress | None:
        """What the board shows of a training now."""
        return self.board.read(id_)

    def wait(self) -> None:
        """Wait until it listens. Raises ChaosFailed."""
        if not self.listening.wait(BACK_WITHIN):
            raise ChaosFailed("Redis does not answer.")

    def stop(self) -> None:
        """Stop listening."""
        self.stopped.set()
        self.join()
        self.client.close()


def rank(news: TrainingProgress) -> tuple[bool, int]:
    """What is final stands; else the later."""
    return news.is_final, news.at
