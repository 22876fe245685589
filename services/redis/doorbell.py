"""The doorbell: a wake-up over Redis pub/sub, which may be lost."""

import threading
from collections.abc import Iterable

import redis
import structlog

from services.redis.connections import connect_listener

log = structlog.get_logger()
CHANNEL = "insights:bell:"
RELAY = "relay"


class Doorbell:
    """Rings by name. Never raises: whoever sleeps through a lost ring looks by itself later."""

    def __init__(self, client: "redis.Redis") -> None:
        self.client = client

    def ring(self, name: str = RELAY) -> None:
        """Wake up whoever listens to `name`; one command."""
        try:
            self.client.publish(CHANNEL + name, b"")
        except redis.RedisError as error:
            log.warning("doorbell_lost", bell=name, error=type(error).__name__)


class Listener(threading.Thread):
    """Sets an event per name when its bell rings, and all of them after a lost connection."""

    def __init__(self, url: str, names: Iterable[str]) -> None:
        super().__init__(daemon=True, name="doorbell-listener")
        self.url = url
        self.bells = {name: threading.Event() for name in names}
        self.stopped = threading.Event()

    def run(self) -> None:
        """Listen until stopped; come back whenever the connection breaks."""
        while not self.stopped.is_set():
            try:
                self.listen()
            except redis.RedisError as error:
                log.warning("doorbell_away", error=type(error).__name__)
                self.stopped.wait(0.5)

    def listen(self) -> None:
        """Listen on one connection."""
        with connect_listener(self.url) as client, client.pubsub() as line:
            line.subscribe(*(CHANNEL + name for name in self.bells))
            while not self.stopped.is_set():
                message = line.get_message(timeout=1.0)
                if line.health_check_response_counter > 1:
                    raise redis.ConnectionError("Nobody answers on this line any more.")
                if message is None:
                    continue
                name = message["channel"].decode().removeprefix(CHANNEL)
                if message["type"] in ("message", "subscribe"):
                    self.bells[name].set()

    def stop(self) -> None:
        """End the thread within a second."""
        self.stopped.set()
