"""Keeps processes running: restarts what ends, and stops all of them together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from runtime.orphans import PARENT

log = structlog.get_logger()
GRACE = 30.0
STEADY_AFTER = 30.0
LONGEST_PAUSE = 10.0


@dataclass
class Process:
    """One supervised process, and when it may start again after it ended."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    running: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    pause: float = 0.25
    start_at: float = 0.0

    def start(self) -> None:
        """Start it."""
        surroundings = dict(self.environment) | {PARENT: str(os.getpid())}
        self.running = subprocess.Popen(self.command, env=surroundings, start_new_session=True)
        self.started_at = time.monotonic()

    def try_to_start(self, now: float) -> None:
        """Start it, or, where the machine cannot, try again in a while."""
        try:
            self.start()
        except OSError as error:
            log.warning("process_not_started", process=self.name, error=type(error).__name__)
            self.start_at = now + LONGEST_PAUSE

    def watch(self) -> None:
        """Start it when it is time to; when it ended, wait a little longer each time."""
        now = time.monotonic()
        if self.running is None:
            if now >= self.start_at:
                self.try_to_start(now)
        elif self.running.poll() is not None:
            log.warning("process_ended", process=self.name, code=self.running.returncode)
            steady = now - self.started_at > STEADY_AFTER
            self.pause = 0.25 if steady else min(self.pause * 2, LONGEST_PAUSE)
            self.start_at = now + self.pause
            self.running = None

    def stop(self, deadline: float) -> None:
        """Wait for its end, and kill it when the deadline has passed."""
        if self.running is None:
            return
        try:
            self.running.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("process_killed", process=self.name)
            self.running.kill()
            self.running.wait()


@dataclass
class Supervisor:
    """Runs processes side by side; one that crashes takes no other along.

    `tend` is called ten times a second, for whatever else must be kept alive.
    """

    processes: list[Process] = field(default_factory=list)
    tend: Callable[[], None] = lambda: None

    def add(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Supervise one more process."""
        process = Process(name, command, environment)
        self.processes.append(process)
        return process

    def run(self, stopped: threading.Event) -> None:
        """Watch until stopped, then stop all."""
        try:
            while not stopped.wait(0.1):
                self.tend()
                for process in self.processes:
                    process.watch()
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask all to stop at once, and give them time to finish what runs."""
        for process in self.processes:
            if process.running is not None and process.running.poll() is None:
                process.running.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for process in self.processes:
            process.stop(deadline)


def insights(*arguments: str) -> list[str]:
    """The command line that runs `insights` with these arguments in this Python."""
    return [sys.executable, "-m", "cli", *arguments]
