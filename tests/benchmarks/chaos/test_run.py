"""Short runs of chaos: the real processes, broken in every way there is."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos.compare import Defect
from benchmarks.chaos.throughput import LEAST
from runtime.supervisor import insights_command

FAULT_KINDS = 23


def run(home: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        insights_command("chaos", "--seed", "1", "--json", *arguments),
        env=os.environ | {"INSIGHTS_HOME": str(home)},
        stdout=subprocess.PIPE,
        check=False,
    )


@pytest.mark.timeout(300)
def test_whatever_breaks_no_effect_is_lost_or_repeated_and_nothing_stays_behind(
    tmp_path: Path,
) -> None:
    ran = run(tmp_path, "--seconds", "40")  # long enough for each fault to come once

    report = json.loads(ran.stdout)
    assert report["findings"] == []
    assert {defect: report[defect] for defect in Defect} == {
        "lost": 0,
        "duplicated": 0,
        "dead": 0,
        "un-keyed": 0,
        "leaked": 0,
    }
    assert ran.returncode == 0
    assert len(report["faults"]) == FAULT_KINDS
    assert report["settled"] is not None
    assert report["published"] > 1_000
    assert report["copies"] > 0
    assert {each["ratio"] for each in report["throughput"]} == {None}  # the run was too short
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(240)
def test_throughput_during_a_fault_is_measured_at_a_steady_load(tmp_path: Path) -> None:
    ran = run(tmp_path, "--seconds", "40", "--rate", "20", "--faults", "Sentry ill")

    report: dict[str, Any] = json.loads(ran.stdout)
    (measured,) = report["throughput"]
    assert measured["fault"] == "Sentry ill"
    assert measured["ratio"] > 0.5, measured
    # 2.85 deliveries follow from an event, those of handlers with little to do left out.
    assert measured["before"] == pytest.approx(20 * 2.85, rel=0.2)
    assert report["findings"] == []
    assert ran.returncode == (measured["ratio"] < LEAST)
