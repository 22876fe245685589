"""Signs of life of a worker process, from a process beside it.

Work in C may hold the interpreter's lock for minutes, during which no thread of the worker runs.
This process renews the worker's row and the leases of what it has in hand, for as long as the
worker exists and is not stopped (SIGSTOP, a frozen container).
"""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from models import processes
from models.connections import connect
from models.deadline import Deadlines
from models.deliveries import lease
from models.processes import BEAT_EVERY

log = structlog.get_logger()
WAIT_AFTER_FAILURE = 1.0  # seconds, while the database is away
# Seconds: with a new connection there is the next sign of life before 15 s are over.
LONGEST_ANSWER = 4.0
URL = "INSIGHTS_HEARTBEAT_URL"
# States of /proc/PID/stat in which a process does nothing: stopped, traced, zombie, dead.
STOPPED = frozenset("TtZX")


class Heartbeat:
    """The process that gives the signs of life of this one."""

    def __init__(self, url: str, process: UUID, name: str) -> None:
        self.start = partial(start, url, process, name)
        self.child = self.start()

    def keep(self) -> None:
        """Start it again where it has ended alone, as when memory ran out."""
        code = self.child.poll()
        if code is not None:
            log.warning("heartbeat_ended", code=code)
            self.child = self.start()

    def stop(self) -> None:
        """End it."""
        self.child.kill()
        self.child.wait()


def start(url: str, process: UUID, name: str) -> "subprocess.Popen[bytes]":
    """Start the process that gives the signs of life of this one."""
    # Not as an argument: any user of the machine may list those.
    environment = os.environ | {URL: url}
    command = [sys.executable, "-m", "workers.heartbeat", str(process), name, str(os.getpid())]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)


def beat(engine: Engine, process: UUID, name: str) -> None:
    """Give one sign of life, and then keep the leases alive. Raises DBAPIError."""
    with engine.begin() as connection:
        processes.beat(connection, process, name)
    # Apart from it: what is in the way of a lease is no sign of death.
    with engine.begin() as connection:
        lease.renew(connection, process)


def is_working(worker: int) -> bool:
    """Whether a process exists and is not stopped."""
    try:
        # The name in brackets may hold anything, so the state is looked for after it.
        stat = Path(f"/proc/{worker}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] not in STOPPED
    except FileNotFoundError:
        return False if Path("/proc/self").exists() else state_by_ps(worker) not in STOPPED


def state_by_ps(worker: int) -> str:
    """The first letter of a process's state where there is no /proc; X if there is no process."""
    command = ["ps", "-o", "state=", "-p", str(worker)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return (found.strip() or "X")[0]


def run(engine: Engine, process: UUID, name: str, worker: int) -> None:
    """Beat until the worker ends."""
    while os.getppid() == worker:
        pause = BEAT_EVERY
        if is_working(worker):
            try:
                beat(engine, process, name)
            except SQLAlchemyError:
                pause = WAIT_AFTER_FAILURE  # the worker itself says that the database is away
        wait(pause, worker)


def wait(seconds: float, worker: int) -> None:
    """Wait, but not longer than the worker exists."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and os.getppid() == worker:
        time.sleep(min(0.5, seconds))


def main() -> None:
    """The process: `python -m workers.heartbeat PROCESS NAME PID`."""
    # Ctrl-C reaches the whole group: the worker still finishes what it has in hand.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    process, name, worker = sys.argv[1:]
    deadlines = Deadlines(answer=LONGEST_ANSWER)
    engine = connect(os.environ[URL], size=1, name="insights heartbeat", deadlines=deadlines)
    run(engine, UUID(process), name, int(worker))


if __name__ == "__main__":
    main()
