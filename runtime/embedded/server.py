"""One embedded server: a child process that is started, watched by its answers, and stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from errors import InsightsError
from runtime.signals import signals_deferred

START_TIMEOUT = 30.0  # seconds; PostgreSQL may first recover from a kill
STOP_TIMEOUT = 20.0  # seconds; PostgreSQL writes a checkpoint before it ends


class ServerFailed(InsightsError):
    """Raised when an embedded server is not installed, cannot be set up or does not start."""


@dataclass
class EmbeddedServer:
    """A server whose data, log and process id lie in `folder`, reached at `url`.

    `answers` says whether a server takes connections at a URL. `user` is the id of the
    system user that the process runs as; None means ours.
    """

    name: str
    folder: Path
    url: str
    command: Sequence[str]
    answers: Callable[[str], bool]
    stop_signal: signal.Signals
    user: int | None = None
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start the server and wait until it answers. Raises ServerFailed.

        A server that an earlier, killed run left behind is used as it is.
        """
        if self.answers(self.url):
            return
        # A signal between the fork and the assignment would leave a process that nobody stops.
        with (self.folder / "log").open("ab") as log, signals_deferred():
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self.user,
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(self.process.pid))
        deadline = time.monotonic() + START_TIMEOUT
        while not self.answers(self.url):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} does not start; see {self.folder / 'log'}.")
            time.sleep(0.02)

    def stop(self, with_signal: signal.Signals | None = None) -> None:
        """Send `with_signal`, by default `stop_signal`, and wait until the server has ended.

        It is killed where it has not ended after STOP_TIMEOUT.
        """
        if self.process is None:
            self.stop_leftover(with_signal or self.stop_signal)
            return
        self.process.send_signal(with_signal or self.stop_signal)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def stop_leftover(self, with_signal: signal.Signals) -> None:
        """Stop a server of an earlier run that was killed, by the process id in its folder."""
        with suppress(OSError, ValueError):
            os.kill(int((self.folder / "pid").read_text()), with_signal)
        deadline = time.monotonic() + STOP_TIMEOUT
        while self.answers(self.url) and time.monotonic() < deadline:
            time.sleep(0.05)
