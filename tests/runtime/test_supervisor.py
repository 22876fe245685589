"""A supervisor and real processes: started, restarted, stopped, and ended with it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import supervisor as module
from runtime.supervisor import MAX_RESTART_DELAY, SUPERVISOR_PID, Process, Supervisor
from tests.waiting import is_running, wait_until

SLEEP = ["/bin/sh", "-c", "exec sleep 60"]
# Says that it is ready, then does not end when it is asked to.
STUBBORN = ["/bin/sh", "-c", 'trap "" TERM; : > "$1"; while :; do sleep 0.05; done', "sh"]
SUPERVISED = """
import sys, time
from runtime.supervisor import end_with_supervisor

end_with_supervisor()
open(sys.argv[1], "w").close()
time.sleep(60)
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A supervisor at work; all of its processes are stopped at the end."""
    supervisor, stopped = Supervisor(), threading.Event()
    watcher = threading.Thread(target=supervisor.run, args=(stopped,))
    watcher.start()
    yield supervisor
    stopped.set()
    watcher.join()


def pid_of(process: Process) -> int | None:
    running = process.running
    return running.pid if running is not None and running.poll() is None else None


def test_a_process_that_ends_is_started_again_and_takes_no_other_along(
    supervisor: Supervisor,
) -> None:
    process, other = (
        supervisor.add("one", SLEEP, os.environ),
        supervisor.add("other", SLEEP, os.environ),
    )
    wait_until(lambda: None not in (pid_of(process), pid_of(other)))
    first, unharmed = pid_of(process), pid_of(other)
    assert first is not None

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: pid_of(process) not in (None, first))

    assert pid_of(other) == unharmed


def test_each_restart_waits_longer_until_the_process_is_stable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = Process("one", ["/bin/false"], os.environ)
    delays = []
    for _ in range(8):
        process.start()
        assert process.running is not None
        process.running.wait()
        process.check()
        delays.append(process.restart_delay)

    assert delays[:3] == [0.5, 1.0, 2.0]
    assert delays[-1] == MAX_RESTART_DELAY

    monkeypatch.setattr(module, "STABLE_AFTER", -1.0)
    process.start()
    assert process.running is not None
    process.running.wait()
    process.check()
    assert process.restart_delay == module.FIRST_RESTART_DELAY


def test_a_command_that_cannot_be_started_is_tried_again_later() -> None:
    process = Process("one", ["/no/such/command"], os.environ)

    process.check()

    assert process.running is None
    assert process.restart_at > 0
    process.check()


def test_stopping_asks_first_and_kills_what_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_TIMEOUT", 0.3)
    supervisor = Supervisor()
    obedient = supervisor.add("obedient", SLEEP, os.environ)
    stubborn = supervisor.add("stubborn", [*STUBBORN, str(tmp_path / "ready")], os.environ)
    for process in (obedient, stubborn):
        process.check()
    wait_until((tmp_path / "ready").exists)

    supervisor.stop()

    assert obedient.running is not None
    assert stubborn.running is not None
    assert obedient.running.returncode == -signal.SIGTERM
    assert stubborn.running.returncode == -signal.SIGKILL


def test_a_process_ends_when_its_supervisor_was_killed(tmp_path: Path) -> None:
    ready, root = tmp_path / "ready", str(Path(__file__).parents[2])
    # The shell is the supervisor: it prints the process id of what it started.
    script = f'{SUPERVISOR_PID}=$$ "$0" -c "$1" "$2" & echo $!; wait'
    shell = subprocess.Popen(
        ["/bin/sh", "-c", script, sys.executable, SUPERVISED, str(ready)],
        env=os.environ | {"PYTHONPATH": root},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert shell.stdout
    child = int(shell.stdout.readline())
    wait_until(ready.exists)

    shell.kill()
    shell.communicate()

    wait_until(lambda: not is_running(child))
