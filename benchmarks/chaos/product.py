"""The product as it runs in production: its processes, supervised, some of them to be killed."""

import random
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chaos.errors import ChaosFailed
from benchmarks.chaos.ground import Ground
from runtime.supervisor import Process, Supervisor, insights
from services.redis.doorbell import CHANNEL, RELAY

CREW = {"relay": 2, "worker": 3, "scheduler": 1}
BELLS = {"relay": CHANNEL + RELAY, "worker": f"{CHANNEL}queue:usage"}
UP_WITHIN = 60.0
# The shell becomes the process itself, which thus is ours to send signals to.
LOGGED = 'cd "$1" && log="$2" && shift 2 && exec "$@" >>"$log" 2>&1'


class Product:
    """All processes of the product under one supervisor."""

    def __init__(self, ground: Ground, environment: Mapping[str, str]) -> None:
        self.ground = ground
        self.supervisor = Supervisor()
        self.stopped = threading.Event()
        self.watcher = threading.Thread(target=self.supervisor.run, args=(self.stopped,))
        for kind, count in CREW.items():
            for number in range(1, count + 1):
                name = f"{kind}-{number}"
                command = logged(ground.folder, name, insights(kind))
                self.supervisor.add(name, command, environment)

    def of_kind(self, kind: str) -> list[Process]:
        """The processes of one kind."""
        return [each for each in self.supervisor.processes if each.name.startswith(kind)]

    def victim(self, kind: str, choice: random.Random) -> "subprocess.Popen[bytes]":
        """One of a kind that runs now. Raises ChaosFailed when none comes back."""
        deadline = time.monotonic() + UP_WITHIN
        while time.monotonic() < deadline:
            running = [each.running for each in self.of_kind(kind) if each.running is not None]
            if alive := [each for each in running if each.poll() is None]:
                return choice.choice(alive)
            time.sleep(0.05)
        raise ChaosFailed(f"No {kind} comes back.")

    def wait_until_up(self) -> None:
        """Wait until all relays and workers listen. Raises ChaosFailed."""
        deadline = time.monotonic() + UP_WITHIN
        while missing := self.missing():
            if time.monotonic() > deadline:
                raise ChaosFailed(f"Not running or not listening: {', '.join(missing)}.")
            time.sleep(0.1)

    def missing(self) -> list[str]:
        """Who does not run, or does not listen to its bell."""
        ended = [
            each.name
            for each in self.supervisor.processes
            if each.running is None or each.running.poll() is not None
        ]
        kinds = list(BELLS)
        heard = self.ground.assembly.redis.pubsub_numsub(*(BELLS[kind] for kind in kinds))
        pairs = zip(kinds, heard, strict=True)
        return ended or [kind for kind, (_, count) in pairs if count != CREW[kind]]

    def stop(self) -> None:
        """Stop all processes in an orderly way."""
        self.stopped.set()
        self.watcher.join()


@contextmanager
def running_product(ground: Ground, environment: Mapping[str, str]) -> Iterator[Product]:
    """The product at work; stopped at the end of the `with` block, if not before."""
    product = Product(ground, environment)
    product.watcher.start()
    try:
        product.wait_until_up()
        yield product
    finally:
        product.stop()


def logged(folder: Path, name: str, command: list[str]) -> list[str]:
    """A command that runs in a folder and logs there; no `.env` of ours is near."""
    return ["/bin/sh", "-c", LOGGED, "sh", str(folder), f"{name}.log", *command]
