"""Separate processes of one measurement, all of them killed at its end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from benchmarks.errors import BenchFailed
from runtime.signals import signals_deferred

ROOT = Path(__file__).resolve().parent.parent
# What a Python needs to start; nothing in it names a server or a provider of the caller.
KEPT_VARIABLES = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "VIRTUAL_ENV")


class Processes:
    """Processes that see none of the caller's settings, so that no real provider is called."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        self.environment = kept | {"PYTHONPATH": str(ROOT)} | dict(environment)
        self.folder = folder
        self.running: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self,
        name: str,
        *command: str,
        talks: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start a process that logs to `{name}.log`.

        Where it `talks`, its standard input and output are pipes instead.
        """
        # In a session of its own, it does not see the Ctrl-C that ends the measurement.
        with (self.folder / f"{name}.log").open("wb") as log, signals_deferred():
            started = self.running[name] = subprocess.Popen(
                command,
                env=self.environment | dict(environment or {}),
                cwd=self.folder,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        return started

    def check(self) -> None:
        """Raise BenchFailed if a process has failed."""
        for name, process in self.running.items():
            if process.poll():
                raise BenchFailed(f"{name} ended by itself; see {self.folder}/{name}.log")

    def wait_for(self, what: str, is_so: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait until something is so. Raises BenchFailed when it takes too long."""
        deadline = time.monotonic() + seconds
        while not is_so():
            self.check()
            if time.monotonic() > deadline:
                raise BenchFailed(f"Waited {seconds:g} s in vain for {what}.")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill all of them with their children."""
        for process in self.running.values():
            # Gently would be in vain: the database that they work on is dropped next.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        self.running.clear()


def write_line(process: "subprocess.Popen[str]", line: str) -> None:
    """Have a process that talks begin with what a line asks for."""
    if process.stdin:
        process.stdin.write(f"{line}\n")
        process.stdin.flush()


def read_line(process: "subprocess.Popen[str]") -> str:
    """The next line that a process prints. Raises BenchFailed when it has ended."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise BenchFailed(f"A process ended by itself: {process.args!r}")
    return line
