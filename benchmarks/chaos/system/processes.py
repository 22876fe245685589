"""The product's processes as in production: supervised, and sent signals by the faults."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from benchmarks.chaos.system import clock
from benchmarks.chaos.system.release import Release
from benchmarks.chaos.system.servers import PrivateServers
from benchmarks.errors import ChaosFailed
from runtime.supervisor import Process, Supervisor, insights_command
from services.redis.doorbell import RELAY, channel_of, queue_bell

PROCESS_COUNTS = {"relay": 2, "worker": 3, "scheduler": 1}
# The channel on which every process of a kind listens once it works.
BELL_CHANNELS = {"relay": channel_of(RELAY), "worker": channel_of(queue_bell("usage"))}
UP_TIMEOUT = 60.0  # s; a process that keeps failing waits up to 10 s between starts
JOIN_TIMEOUT = 15.0  # s that a fault waits for a process which it adds
TICK = 0.2  # s; the supervisor has then seen that a process was taken from it
STOP_TIMEOUT = 30.0  # s; a worker lets what runs finish for 25
CLOCK_AHEAD = 300.0  # s; more than any lease, back-off and sign of life lasts
# `exec` makes the shell the process itself, so that signals reach it and not a shell.
LOGGED = 'cd "$1" && log="$2" && shift 2 && exec "$@" >>"$log" 2>&1'


class ProductProcesses:
    """All processes of the product under one supervisor."""

    def __init__(
        self, servers: PrivateServers, environment: Mapping[str, str], next_release: Release
    ) -> None:
        self.servers = servers
        self.environment = environment
        self.next_release = next_release
        self.supervisor = Supervisor()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stopped,))
        for kind, count in PROCESS_COUNTS.items():
            for number in range(1, count + 1):
                self.add(f"{kind}-{number}", insights_command(kind))

    def add(
        self, name: str, command: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> Process:
        """Supervise one more process, with further variables in its environment."""
        environment = dict(self.environment) | dict(variables or {})
        return self.supervisor.add(name, logged(self.servers.folder, name, command), environment)

    def of_kind(self, kind: str) -> list[Process]:
        return [each for each in self.supervisor.processes if each.name.startswith(f"{kind}-")]

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
        if missing := self.missing_after(UP_TIMEOUT):
            raise ChaosFailed(f"Not running or not listening: {', '.join(missing)}.")

    def missing_after(self, seconds: float) -> list[str]:
        """What is still missing after so long, at most: nothing, if all are up."""
        deadline = time.monotonic() + seconds
        while (missing := self.missing()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return missing

    def missing(self) -> list[str]:
        """Processes that do not run; else the kinds of which not all listen to their bell."""
        ended = [
            each.name
            for each in self.supervisor.processes
            if each.running is None or each.running.poll() is not None
        ]
        kinds = list(BELL_CHANNELS)
        try:
            listening = self.servers.assembly.redis.pubsub_numsub(*BELL_CHANNELS.values())
        except redis.RedisError:
            return ended or kinds
        pairs = zip(kinds, listening, strict=True)
        return ended or [kind for kind, (_, count) in pairs if count != len(self.of_kind(kind))]

    @contextmanager
    def with_clock_ahead(self) -> Iterator[None]:
        """One worker more whose clock is wrong, in the `with` block."""
        command = [sys.executable, "-m", clock.__name__, str(CLOCK_AHEAD), "worker"]
        with self.added(self.add("worker-ahead", command)):
            yield

    @contextmanager
    def with_next_release(self) -> Iterator[None]:
        """A relay and a worker more, of the next release, in the `with` block."""
        variables = self.next_release.environment()
        with self.added(
            *(
                self.add(f"{kind}-beside", insights_command(kind), variables)
                for kind in BELL_CHANNELS
            )
        ):
            yield

    @contextmanager
    def added(self, *processes: Process) -> Iterator[None]:
        """Wait until these are up; stop them in an orderly way at the end of the `with` block."""
        with ExitStack() as stack:
            for each in processes:
                stack.callback(self.remove, each)
            # Not for long: among other faults, somebody is always missing.
            self.missing_after(JOIN_TIMEOUT)
            yield

    def remove(self, process: Process) -> None:
        """Stop a process that was added."""
        self.supervisor.processes = [
            each for each in self.supervisor.processes if each is not process
        ]
        time.sleep(TICK)
        if process.running is not None and process.running.poll() is None:
            process.running.terminate()
        process.wait_or_kill(time.monotonic() + STOP_TIMEOUT)

    def stop(self) -> None:
        """Stop all processes in an orderly way."""
        self.stopped.set()
        self.thread.join()


@contextmanager
def running_product(
    servers: PrivateServers, environment: Mapping[str, str], next_release: Release
) -> Iterator[ProductProcesses]:
    """The product at work; stopped at the end of the `with` block, if not before."""
    product = ProductProcesses(servers, environment, next_release)
    product.thread.start()
    try:
        product.wait_until_up()
        yield product
    finally:
        product.stop()


def logged(folder: Path, name: str, command: Sequence[str]) -> list[str]:
    """A command that runs in `folder`, where no `.env` is near, and logs to `{name}.log`."""
    return ["/bin/sh", "-c", LOGGED, "sh", str(folder), f"{name}.log", *command]
