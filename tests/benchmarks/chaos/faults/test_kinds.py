"""The faults of a run are chosen by their names."""

import random
import threading
from contextlib import nullcontext

import pytest

from benchmarks.chaos.faults import kind
from benchmarks.chaos.faults.injector import schedule
from benchmarks.chaos.faults.kind import FaultKind, alone
from benchmarks.chaos.faults.kinds import UnknownFault, choose
from benchmarks.errors import NotInjected

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


def test_a_fault_that_another_keeps_out_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "TURN_TIMEOUT", 0.0)
    lock = threading.Lock()

    with alone(lock), pytest.raises(NotInjected), alone(lock):
        pass

    assert not lock.locked()
