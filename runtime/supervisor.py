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

log = structlog.get_logger()
SUPERVISOR_PID = "INSIGHTS_PARENT"  # the variable that tells a child who supervises it

STOP_TIMEOUT = 30.0  # seconds; a worker lets what runs finish for 25
FIRST_RESTART_DELAY = 0.25  # seconds; doubled each time that a process ends soon again
MAX_RESTART_DELAY = 10.0  # seconds; what ends at once must not keep the machine busy
STABLE_AFTER = 30.0  # seconds; whatever ran so long begins with the first delay again


@dataclass
class Process:
    """One supervised process: what runs now, and when it may be started again."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    running: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    restart_delay: float = FIRST_RESTART_DELAY
    restart_at: float = 0.0

    def start(self) -> None:
        """Start the process. Raises OSError where the machine cannot."""
        variables = dict(self.environment) | {SUPERVISOR_PID: str(os.getpid())}
        # A session of its own: Ctrl-C reaches the supervisor alone, which stops all in order.
        self.running = subprocess.Popen(self.command, env=variables, start_new_session=True)
        self.started_at = time.monotonic()

    def try_to_start(self, now: float) -> None:
        """Start the process; where the machine cannot, try again after MAX_RESTART_DELAY."""
        try:
            self.start()
        except OSError as error:
            log.warning("process_not_started", process=self.name, error=type(error).__name__)
            self.restart_at = now + MAX_RESTART_DELAY

    def check(self) -> None:
        """Start the process when it is time; note that it ended, and put its restart off."""
        now = time.monotonic()
        if self.running is None:
            if now >= self.restart_at:
                self.try_to_start(now)
        elif self.running.poll() is not None:
            log.warning("process_ended", process=self.name, code=self.running.returncode)
            was_stable = now - self.started_at > STABLE_AFTER
            self.restart_delay = (
                FIRST_RESTART_DELAY
                if was_stable
                else min(self.restart_delay * 2, MAX_RESTART_DELAY)
            )
            self.restart_at = now + self.restart_delay
            self.running = None

    def wait_or_kill(self, deadline: float) -> None:
        """Wait until the process has ended, and kill it at `deadline` (monotonic seconds)."""
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

    `check_servers` is called ten times a second, for what must be kept alive besides.
    """

    processes: list[Process] = field(default_factory=list)
    check_servers: Callable[[], None] = lambda: None

    def add(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Supervise one more process."""
        process = Process(name, command, environment)
        self.processes.append(process)
        return process

    def run(self, stopped: threading.Event) -> None:
        """Start and restart processes until `stopped` is set, then stop all."""
        try:
            while not stopped.wait(0.1):
                self.check_servers()
                for process in self.processes:
                    process.check()
        finally:
            self.stop()

    def stop(self) -> None:
        """Send SIGTERM to all at once, then wait for each; kill those that take too long."""
        for process in self.processes:
            if process.running is not None and process.running.poll() is None:
                process.running.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        for process in self.processes:
            process.wait_or_kill(deadline)


def insights_command(*arguments: str) -> list[str]:
    """The command line that runs `insights` with these arguments in this Python."""
    return [sys.executable, "-m", "cli", *arguments]


def end_with_supervisor() -> None:
    """Send this process SIGTERM when its supervisor was killed, so that nothing runs on unseen.

    Does nothing in a process that no supervisor started.
    """
    # Taken out, so that processes which this one starts do not wait for their grandparent.
    pid = os.environ.pop(SUPERVISOR_PID, None)
    if pid is not None:
        threading.Thread(target=_end_without, args=(int(pid),), daemon=True).start()


def _end_without(supervisor: int) -> None:
    while os.getppid() == supervisor:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
