"""`insights bench`, from its start to its end."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.scenarios import SCENARIOS
from tests.benchmarks.conftest import Bench, databases, keys
from tests.factories import Servers


@pytest.mark.timeout(300)
def test_a_quick_run_measures_every_scenario_and_leaves_nothing(
    bench: Bench, servers: Servers
) -> None:
    before, there = keys(servers), databases(servers)

    told, problems = bench("--quick", "--json").communicate()

    report = json.loads(told or problems)
    assert {each["scenario"] for each in report["figures"]} == set(SCENARIOS)
    assert all(each["value"] >= 0 for each in report["figures"])
    assert report["machine"]["cores"] >= 1
    assert databases(servers) == there
    assert keys(servers) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_takes_its_processes_and_databases_along(
    bench: Bench, servers: Servers, number: signal.Signals
) -> None:
    there = databases(servers)
    running = bench("--quick", "--only", "hot")
    while not children(running.pid):
        assert running.poll() is None
        time.sleep(0.05)
    started = children(running.pid)

    running.send_signal(number)
    running.communicate()

    assert running.returncode != 0
    wait_for(lambda: not any(runs(pid) for pid in started))
    assert databases(servers) == there


def test_a_scenario_that_does_not_exist_is_named(bench: Bench) -> None:
    running = bench("--only", "drain,speed")

    _, problems = running.communicate()

    assert running.returncode == 1
    assert "No scenario is called 'speed'" in problems


def children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in told.split()]


def wait_for(is_so: Callable[[], bool]) -> None:
    """Who was killed is there until somebody has buried it: a moment, not longer."""
    give_up = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
