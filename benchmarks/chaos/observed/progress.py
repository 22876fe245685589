"""Watches live progress from outside, and remembers every state that was ever shown.

When Redis loses its data, earlier states may be shown again. Between two such losses, an older
state must never follow a newer one.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from benchmarks.errors import ChaosFailed
from errors import ProviderDown
from events.progress import PROGRESS_PREFIX, TrainingProgress, progress_key
from services.redis.progress import ProgressBoard, parse
from services.redis.tcp import TcpCommands

# Published with each flush, so that the watcher knows at which message the data were lost.
FLUSHED = progress_key("flushed")
LISTENING_TIMEOUT = 30.0  # s
RETRY_INTERVAL = 0.02  # s; short, because what is shown while nobody listens is missed


@dataclass(frozen=True)
class ObservedProgress:
    """States by training that were `shown`, those shown after newer ones (`stale`), and the last.

    `replayed` are the states shown after Redis was flushed and the whole history was replayed.
    """

    shown: Mapping[str, set[TrainingProgress]]
    stale: Sequence[TrainingProgress]
    replayed: Mapping[str, TrainingProgress | None]


class ProgressWatcher(threading.Thread):
    """Listens to all trainings. `shown` and `stale` may be read once it has stopped."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True, name="progress-watcher")
        self.client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        self.board = ProgressBoard(TcpCommands(self.client))
        self.shown: dict[str, set[TrainingProgress]] = defaultdict(set)
        self.stale: list[TrainingProgress] = []
        self.newest: dict[str, TrainingProgress] = {}
        self.listening = threading.Event()
        self.stopped = threading.Event()

    def run(self) -> None:
        """Listen until stopped, on a new connection whenever Redis was away."""
        while not self.stopped.is_set():
            try:
                self.listen()
            except (redis.RedisError, ProviderDown):
                self.listening.clear()
                self.stopped.wait(RETRY_INTERVAL)

    def listen(self) -> None:
        """Listen on one connection."""
        self.newest = {}
        with self.client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.psubscribe(f"{PROGRESS_PREFIX}*")
            pubsub.get_message(timeout=5)
            # What was shown before the subscription began is still to be read.
            for training_id in self.training_ids():
                if (state := self.read(training_id)) is not None:
                    self.shown[training_id].add(state)
            self.listening.set()
            while not self.stopped.is_set():
                message = pubsub.get_message(ignore_subscribe_messages=True, timeout=0.5)
                if message is not None:
                    self.receive(message["channel"].decode(), message["data"])

    def receive(self, channel: str, data: bytes) -> None:
        """Remember the state in a message, and whether a newer one came before."""
        if channel == FLUSHED:
            self.newest = {}
            return
        training_id = channel.removeprefix(PROGRESS_PREFIX)
        state = parse(training_id, json.loads(data))
        if state is None:
            return
        self.shown[training_id].add(state)
        known = self.newest.setdefault(training_id, state)
        if rank(state) < rank(known):
            self.stale.append(state)
        else:
            self.newest[training_id] = state

    def flush(self) -> None:
        """Delete everything in Redis, and announce it in the same transaction."""
        with self.client.pipeline(transaction=True) as pipeline:
            pipeline.flushall()
            pipeline.publish(FLUSHED, b"")
            pipeline.execute()

    def training_ids(self) -> list[str]:
        """The trainings that are in Redis now."""
        found = self.client.scan_iter(f"{PROGRESS_PREFIX}*", count=1000)
        return [key.decode().removeprefix(PROGRESS_PREFIX) for key in found]

    def read(self, training_id: str) -> TrainingProgress | None:
        """The state of a training that Redis holds now. Raises ProviderDown."""
        return self.board.read(training_id)

    def wait_until_listening(self) -> None:
        """Wait until it listens. Raises ChaosFailed."""
        if not self.listening.wait(LISTENING_TIMEOUT):
            raise ChaosFailed("Redis does not answer.")

    def stop(self) -> None:
        """Stop listening."""
        self.stopped.set()
        self.join()
        self.client.close()


def rank(state: TrainingProgress) -> tuple[bool, int]:
    """A final state stands; of two others, the later."""
    return state.is_final, state.at
