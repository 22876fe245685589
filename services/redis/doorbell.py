"""The doorbell: a wake-up over Redis pub/sub, which may be lost."""

import threading
from collections.abc import Iterable

import redis
import structlog

from services.redis.connections import connect_listener

log = structlog.get_logger()
CHANNEL_PREFIX = "insights:bell:"
RELAY = "relay"
RECONNECT_AFTER = 0.5  # seconds
STOP_WITHIN = 1.0  # seconds


def channel_of(bell: str) -> str:
    """The pub/sub channel of a bell."""
    return CHANNEL_PREFIX + bell


def queue_bell(queue: str) -> str:
    """The bell of the workers that take messages from a queue."""
    return f"queue:{queue}"


class Doorbell:
    """Rings by name. Never raises: whoever misses a ring looks by itself later."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client

    def ring(self, bell: str = RELAY) -> None:
        """Wake up whoever listens to a bell; one command."""
        try:
            self.client.publish(channel_of(bell), b"")
        except redis.RedisError as error:
            log.warning("doorbell_lost", bell=bell, error=type(error).__name__)

    def listeners(self, bell: str) -> int:
        """How many processes listen to a bell; 0 where Redis cannot say."""
        try:
            ((_, count),) = self.client.pubsub_numsub(channel_of(bell))
        except redis.RedisError:
            return 0
        return int(count)


class Listener(threading.Thread):
    """Sets an event per bell when it rings, and all of them after a lost connection."""

    def __init__(self, url: str, bells: Iterable[str]) -> None:
        super().__init__(daemon=True, name="doorbell-listener")
        self.url = url
        self.bells = {bell: threading.Event() for bell in bells}
        self.stopped = threading.Event()

    def run(self) -> None:
        """Listen until stopped; connect again whenever the connection breaks."""
        while not self.stopped.is_set():
            try:
                self.listen()
            except redis.RedisError as error:
                log.warning("doorbell_away", error=type(error).__name__)
                self.stopped.wait(RECONNECT_AFTER)

    def listen(self) -> None:
        """Listen on one connection."""
        with connect_listener(self.url) as client, client.pubsub() as subscription:
            subscription.subscribe(*map(channel_of, self.bells))
            while not self.stopped.is_set():
                message = subscription.get_message(timeout=STOP_WITHIN)
                # redis-py sends a PING when it is due, but does not mind if none is answered.
                if subscription.health_check_response_counter > 1:
                    raise redis.ConnectionError("Redis does not answer on this connection.")
                if message is None:
                    continue
                bell = message["channel"].decode().removeprefix(CHANNEL_PREFIX)
                # A confirmed subscription rings too: what rang before it was missed.
                if message["type"] in ("message", "subscribe"):
                    self.bells[bell].set()

    def stop(self) -> None:
        """End the thread within a second."""
        self.stopped.set()
