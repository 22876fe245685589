"""The product's processes as in production: supervised, and sent signals by the faults."""

import random
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chaos.system.servers import PrivateServers
from benchmarks.errors import ChaosFailed
from runtime.supervisor import Process, Supervisor, insights_command
from services.redis.doorbell import RELAY, channel_of, queue_bell

PROCESS_COUNTS = {"relay": 2, "worker": 3, "scheduler": 1}
# The channel on which every process of a kind listens once it works.
BELL_CHANNELS = {"relay": channel_of(RELAY), "worker": channel_of(queue_bell("usage"))}
UP_TIMEOUT = 60.0  # s; a process that keeps failing waits up to 10 s between starts
# `exec` makes the shell the process itself, so that signals reach it and not a shell.
LOGGED = 'cd "$1" && log="$2" && shift 2 && exec "$@" >>"$log" 2>&1'


class ProductProcesses:
    """All processes of the product under one supervisor."""

    def __init__(self, servers: PrivateServers, environment: Mapping[str, str]) -> None:
        self.servers = servers
        self.supervisor = Supervisor()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stopped,))
        for kind, count in PROCESS_COUNTS.items():
            for number in range(1, count + 1):
                name = f"{kind}-{number}"
                command = logged(servers.folder, name, insights_command(kind))
                self.supervisor.add(name, command, environment)

    def of_kind(self, kind: str) -> list[Process]:
        return [each for each in self.supervisor.processes if each.name.startswith(kind)]

    def random_running(self, kind: str, choice: random.Random) -> "subprocess.Popen[bytes]":
        """A running process of a kind. Raises ChaosFailed when none comes back in time."""
        deadline = time.monotonic() + UP_TIMEOUT
        while time.monotonic() < deadline:
            started = [each.running for each in self.of_kind(kind) if each.running is not None]
            if running := [each for each in started if each.poll() is None]:
                return choice.choice(running)
            time.sleep(0.05)
        raise ChaosFailed(f"No {kind} comes back.")

    def wait_until_up(self) -> None:
        """Wait until all relays and workers listen. Raises ChaosFailed."""
        deadline = time.monotonic() + UP_TIMEOUT
        while missing := self.missing():
            if time.monotonic() > deadline:
                raise ChaosFailed(f"Not running or not listening: {', '.join(missing)}.")
            time.sleep(0.1)

    def missing(self) -> list[str]:
        """Processes that do not run; else the kinds of which not all listen to their bell."""
        ended = [
            each.name
            for each in self.supervisor.processes
            if each.running is None or each.running.poll() is not None
        ]
        kinds = list(BELL_CHANNELS)
        listening = self.servers.assembly.redis.pubsub_numsub(*BELL_CHANNELS.values())
        pairs = zip(kinds, listening, strict=True)
        return ended or [kind for kind, (_, count) in pairs if count != PROCESS_COUNTS[kind]]

    def stop(self) -> None:
        """Stop all processes in an orderly way."""
        self.stopped.set()
        self.thread.join()


@contextmanager
def running_product(
    servers: PrivateServers, environment: Mapping[str, str]
) -> Iterator[ProductProcesses]:
    """The product at work; stopped at the end of the `with` block, if not before."""
    product = ProductProcesses(servers, environment)
    product.thread.start()
    try:
        product.wait_until_up()
        yield product
    finally:
        product.stop()


def logged(folder: Path, name: str, command: list[str]) -> list[str]:
    """A command that runs in `folder`, where no `.env` is near, and logs to `{name}.log`."""
    return ["/bin/sh", "-c", LOGGED, "sh", str(folder), f"{name}.log", *command]
