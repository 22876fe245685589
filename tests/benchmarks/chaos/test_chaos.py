"""A short run of chaos: the real processes, broken in every way there is."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from runtime.supervisor import insights

KINDS = 16


@pytest.mark.timeout(240)
def test_whatever_breaks_every_effect_happens_once_and_nothing_stays_behind(
    tmp_path: Path,
) -> None:
    ran = subprocess.run(
        insights("chaos", "--seconds", "30", "--seed", "1", "--json"),
        env=os.environ | {"INSIGHTS_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=False,
    )

    told = json.loads(ran.stdout)
    assert told["findings"] == []
    assert [told[wrong] for wrong in ("lost", "duplicated", "dead", "un-keyed", "leaked")] == [
        0
    ] * 5
    assert ran.returncode == 0
    assert len(told["faults"]) == KINDS
    assert told["settled"] is not None
    assert told["published"] > 1_000
    assert told["copies"] > 0
    assert list(tmp_path.iterdir()) == []
