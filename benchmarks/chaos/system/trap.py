"""A trap that freezes one worker in the middle of a transaction.

It is a file. The handler that manages to rename it has its own process stopped: the new name tells
the process id to whoever set the trap. Renaming is atomic, so no second process is caught.
"""

import os
import signal
import time
from pathlib import Path

from benchmarks.errors import NotInjected

TRAP = "CHAOS_TRAP"  # environment variable with the file's path
CATCH_TIMEOUT = 30.0  # s; other faults may keep all workers from working for a while
LOOK_INTERVAL = 0.02  # s


class Trap:
    """Set by the run; `catch` returns the process that is frozen."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def catch(self) -> int:
        """Wait until a process is frozen; return its id. Raises NotInjected."""
        self.path.touch()
        deadline = time.monotonic() + CATCH_TIMEOUT
        while self.path.exists():
            if time.monotonic() > deadline:
                self.path.unlink(missing_ok=True)
                break
            time.sleep(LOOK_INTERVAL)
        for caught in self.path.parent.glob(f"{self.path.name}.*"):
            caught.unlink()
            return int(caught.suffix[1:])
        raise NotInjected("No worker began a transaction to be frozen in.")


def freeze_if_set() -> None:
    """Stop this process if there is a trap; it goes on at a SIGCONT."""
    path = os.environ.get(TRAP)
    if path is None:
        return
    try:
        os.rename(path, f"{path}.{os.getpid()}")  # noqa: PTH104 (half as fast, and asked each time)
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGSTOP)
