"""Python's garbage collector leaves alone what was there at the start."""

import gc
from collections.abc import Iterator

import pytest

from workers.garbage import YOUNG_OBJECTS, freeze_startup_objects


@pytest.fixture(autouse=True)
def usual_collector() -> Iterator[None]:
    """The thresholds of before, once the test is over."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_is_there_at_the_start_is_exempt_and_cycles_are_looked_for_seldom() -> None:
    exempt = ["an object"]

    freeze_startup_objects()
    made_later = ["another"]

    assert gc.get_freeze_count() > 1_000
    collected = {id(each) for each in gc.get_objects()}
    assert id(exempt) not in collected
    assert id(made_later) in collected
    assert gc.get_threshold()[0] == YOUNG_OBJECTS
