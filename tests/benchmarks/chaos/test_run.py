"""A short run of chaos: the real processes, broken in every way there is."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.chaos.compare import Defect
from runtime.supervisor import insights_command

FAULT_KINDS = 16


@pytest.mark.timeout(240)
def test_whatever_breaks_no_effect_is_lost_or_repeated_and_nothing_stays_behind(
    tmp_path: Path,
) -> None:
    ran = subprocess.run(
        insights_command("chaos", "--seconds", "30", "--seed", "1", "--json"),
        env=os.environ | {"INSIGHTS_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=False,
    )

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
    assert list(tmp_path.iterdir()) == []
