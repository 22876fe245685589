"""`insights bench`, from its start to its end."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.scenarios import SCENARIOS
from tests.benchmarks.conftest import StartBench
from tests.benchmarks.leftovers import bench_databases, key_counts
from tests.factories import Servers


@pytest.mark.timeout(600)
def test_a_quick_run_measures_every_scenario_and_leaves_nothing(
    start_bench: StartBench, servers: Servers
) -> None:
    keys_before, databases_before = key_counts(servers), bench_databases(servers)

    output, problems = start_bench("--quick", "--json").communicate()

    report = json.loads(output or problems)
    assert {each["scenario"] for each in report["figures"]} == set(SCENARIOS)
    assert all(each["value"] >= 0 for each in report["figures"])
    assert report["machine"]["cores"] >= 1
    assert bench_databases(servers) == databases_before
    # Fewer, where keys of others ran out meanwhile.
    assert all(count <= keys_before.get(name, 0) for name, count in key_counts(servers).items())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_takes_its_processes_and_databases_along(
    start_bench: StartBench, servers: Servers, number: signal.Signals
) -> None:
    databases_before = bench_databases(servers)
    running = start_bench("--quick", "--only", "hot")
    while not children(running.pid):
        assert running.poll() is None
        time.sleep(0.05)
    started = children(running.pid)

    running.send_signal(number)
    running.communicate()

    assert running.returncode != 0
    wait_for(lambda: not any(runs(pid) for pid in started))
    assert bench_databases(servers) == databases_before


def test_a_scenario_that_does_not_exist_is_named(start_bench: StartBench) -> None:
    running = start_bench("--only", "drain,speed")

    _, problems = running.communicate()

    assert running.returncode == 1
    assert "No scenario is called 'speed'" in problems


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def wait_for(is_so: Callable[[], bool]) -> None:
    """A killed process exists until its parent has waited for it: a moment, not longer."""
    give_up = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
