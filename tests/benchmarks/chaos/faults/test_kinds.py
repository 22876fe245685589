"""The faults of a run are chosen by their names."""

import random
from contextlib import nullcontext

import pytest

from benchmarks.chaos.faults.injector import schedule
from benchmarks.chaos.faults.kind import FaultKind
from benchmarks.chaos.faults.kinds import UnknownFault, choose

KINDS = {name: FaultKind(nullcontext) for name in ("Redis away", "relay killed", "worker frozen")}


def test_faults_are_chosen_by_name() -> None:
    assert choose(KINDS, None) == KINDS
    assert list(choose(KINDS, "worker frozen, Redis away")) == ["worker frozen", "Redis away"]
    with pytest.raises(UnknownFault, match="is called 'flood'"):
        choose(KINDS, "Redis away,flood")


def test_every_fault_comes_once_before_any_comes_again() -> None:
    planned = list(schedule(random.Random(1), KINDS, 30))

    assert len(planned) > 9
    for first in range(0, 9, 3):
        assert {each.kind for each in planned[first : first + 3]} == set(KINDS)
