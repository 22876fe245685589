"""A process freezes itself where it is told to, and only one does."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos.system import trap
from benchmarks.chaos.system.trap import TRAP, Trap
from benchmarks.errors import NotInjected

RUN = "from benchmarks.chaos.system.trap import freeze_if_set\nwhile True: freeze_if_set()"


@pytest.fixture
def set_trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trap")


@pytest.fixture
def workers(set_trap: Trap) -> Iterator["list[subprocess.Popen[bytes]]"]:
    environment = os.environ | {TRAP: str(set_trap.path)}
    started = [subprocess.Popen([sys.executable, "-c", RUN], env=environment) for _ in range(2)]
    yield started
    for each in started:
        each.kill()
        each.wait()


def test_one_process_is_frozen_until_it_is_thawed(
    set_trap: Trap, workers: "list[subprocess.Popen[bytes]]"
) -> None:
    caught = set_trap.catch()

    (other,) = {each.pid for each in workers} - {caught}
    assert os.WIFSTOPPED(os.waitpid(caught, os.WUNTRACED)[1])
    os.kill(caught, signal.SIGCONT)
    assert os.WIFCONTINUED(os.waitpid(caught, os.WCONTINUED)[1])
    assert os.waitpid(other, os.WUNTRACED | os.WNOHANG) == (0, 0)


def test_where_no_process_comes_by_the_trap_is_taken_away(
    set_trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trap, "CATCH_TIMEOUT", 0.0)

    with pytest.raises(NotInjected):
        set_trap.catch()

    assert not set_trap.path.exists()
