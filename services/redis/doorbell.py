"""The doorbell: a wake-up over Redis pub/sub, which may be lost."""

import os
import threading
import time
from collections.abc import Iterable
from multiprocessing.util import Finalize
from typing import Any
from weakref import WeakSet

import redis
import structlog

from services.redis.connections import connect_listener, connect_quickly

log = structlog.get_logger()
CHANNEL_PREFIX = "insights:bell:"
QUEUE_PREFIX = "insights:queue:"  # of the lists that the Redis broker keeps its messages in
NO_QUEUE = f"{QUEUE_PREFIX}-"  # never there: taking from it changes nothing
RELAY = "relay"
RETRY_AFTER = 1.0  # seconds; a Redis that failed is asked once a second, however many ring
EXIT_WITHIN = 1.0  # seconds that a process waits at its end for a ring that is not out yet
RECONNECT_AFTER = 0.5  # seconds
STOP_WITHIN = 1.0  # seconds
# Seconds of silence until a listener tests its connection: at first soon, since one that was in use
# and is not any more may be dead; then twice as long each time, since looking costs a command. It
# also keeps NATs and proxies from forgetting the connection.
TEST_SOON, TEST_AFTER = 5.0, 55.0
ANSWER_WITHIN = 5.0  # seconds until a connection is given up on which something was sent

# PUBLISH alone succeeds on a primary that has become a replica, where nobody may listen any more.
# Taking from a list is refused there, and so the ring goes to the new primary.
RING = "redis.call('LPOP', KEYS[1]) redis.call('PUBLISH', ARGV[1], '')"


def channel_of(bell: str) -> str:
    """The pub/sub channel of a bell."""
    return CHANNEL_PREFIX + bell


def queue_bell(queue: str) -> str:
    """The bell of the workers that take messages from a queue."""
    return f"queue:{queue}"


class Doorbell:
    """Rings by name, from a thread of its own: who rings never waits for Redis.

    Nothing is raised: whoever misses a ring looks by itself later. Rings of a bell that are not
    out yet are one ring.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.start_anew()
        DOORBELLS.add(self)

    def start_anew(self) -> None:
        """Forget all rings, and the thread: after a fork it is the parent's."""
        self.client = connect_quickly(self.url, "insights-doorbell")
        self.changed = threading.Condition()
        self.pending: set[str] = set()
        self.closing = False
        self.thread: threading.Thread | None = None
        self.at_exit: Finalize | None = None

    def ring(self, bell: str = RELAY) -> None:
        """Wake up whoever listens to a bell; returns at once."""
        with self.changed:
            self.pending.add(bell)
            self.closing = False
            if self.thread is None:
                self.start()
            self.changed.notify_all()

    def listeners(self, bell: str) -> int:
        """How many processes listen to a bell; 0 where Redis cannot say."""
        try:
            ((_, count),) = self.client.pubsub_numsub(channel_of(bell))
        except redis.RedisError:
            return 0
        return int(count)

    def start(self) -> None:
        """Start the thread, and have the end of the process wait for it."""
        self.thread = threading.Thread(target=self.run, daemon=True, name="doorbell")
        # Not by atexit: a process that multiprocessing forked does not call it.
        self.at_exit = Finalize(None, self.close, exitpriority=0)
        self.thread.start()

    def run(self) -> None:
        """Ring for what is pending, until the doorbell is closed."""
        while bells := self.next_bells():
            try:
                for bell in bells:
                    self.client.eval(RING, 1, NO_QUEUE, channel_of(bell))
            except redis.RedisError as error:
                log.warning("doorbell_lost", bells=sorted(bells), error=type(error).__name__)
                with self.changed:
                    self.changed.wait_for(lambda: self.closing, RETRY_AFTER)

    def next_bells(self) -> set[str]:
        """Wait for rings and take them all; none when the doorbell is closed."""
        with self.changed:
            self.changed.wait_for(lambda: self.pending or self.closing)
            bells, self.pending = self.pending, set()
            if not bells:
                self.thread = None
            return bells

    def close(self) -> None:
        """Wait for rings that are not out yet, for a second at most; then let the thread end."""
        with self.changed:
            self.closing = True
            self.changed.notify_all()
            thread, at_exit = self.thread, self.at_exit
        if thread is not None:
            thread.join(EXIT_WITHIN)
        if at_exit is not None:
            at_exit.cancel()
        self.client.close()


DOORBELLS: WeakSet[Doorbell] = WeakSet()  # of this process


def start_doorbells_anew() -> None:
    for doorbell in DOORBELLS:
        doorbell.start_anew()


os.register_at_fork(after_in_child=start_doorbells_anew)


class Listener(threading.Thread):
    """Sets an event per bell when it rings, and all of them after a lost connection."""

    def __init__(self, url: str, bells: Iterable[str]) -> None:
        super().__init__(daemon=True, name="doorbell-listener")
        self.url = url
        self.bells = {bell: threading.Event() for bell in bells}
        self.stopped = threading.Event()
        self.test_due = threading.Event()

    def run(self) -> None:
        """Listen until stopped; connect again whenever the connection is of no use."""
        while not self.stopped.is_set():
            try:
                self.listen()
            except redis.RedisError as error:
                log.warning("doorbell_away", error=type(error).__name__)
                self.stopped.wait(RECONNECT_AFTER)

    def listen(self) -> None:
        """Listen on one connection. Raises RedisError when it breaks, or nothing is answered."""
        # Not by redis-py's PubSub, which hides what is answered to anything but a subscription.
        with connect_listener(self.url) as client:
            connection = client.connection_pool.get_connection()
            connection.send_command("SUBSCRIBE", *map(channel_of, self.bells))
            heard_at = time.monotonic()
            asked_at: float | None = heard_at
            subscribed, silence = False, TEST_SOON
            while not self.stopped.is_set():
                if connection.can_read(timeout=STOP_WITHIN):
                    if self.hear(connection, subscribed=subscribed):
                        subscribed, silence = True, TEST_SOON
                    heard_at, asked_at = time.monotonic(), None
                elif asked_at is not None:
                    if time.monotonic() > asked_at + ANSWER_WITHIN:
                        raise redis.TimeoutError("Redis does not answer on this connection.")
                elif self.test_due.is_set() or time.monotonic() > heard_at + silence:
                    self.test_due.clear()
                    # Refused by a primary that has become a replica and may hear nothing more.
                    connection.send_command("DEL", NO_QUEUE)
                    asked_at, silence = time.monotonic(), min(silence * 2, TEST_AFTER)

    def hear(self, connection: Any, *, subscribed: bool) -> bool:
        """Read one answer or message; return whether it was either of a subscription."""
        try:
            heard = connection.read_response(push_request=True)
        except redis.ResponseError:
            # Whatever is said of the test shows that the connection lives.
            if subscribed:
                return False
            raise
        # A confirmed subscription rings too: what rang before it was missed.
        if not isinstance(heard, list) or heard[0] not in (b"message", b"subscribe"):
            return False
        self.bells[heard[1].decode().removeprefix(CHANNEL_PREFIX)].set()
        return True

    def test_connection(self) -> None:
        """Have the connection tested within a second: another one to the same Redis failed."""
        self.test_due.set()

    def stop(self) -> None:
        """End the thread within a second."""
        self.stopped.set()
