"""Signals that are deferred are late, not lost; others stop or interrupt a process."""

import signal
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from runtime.signals import ENDING, interrupt_on_signals, signals_deferred, stop_on_signals

BOTH = pytest.mark.parametrize("number", ENDING)
Handler = Callable[[int, FrameType | None], object]


class Interrupted(Exception):
    pass


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    """The signal handlers of before, once a test is over."""
    usual = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in usual.items():
        signal.signal(number, handler)


def be_interrupted(number: signal.Signals, reached: list[str]) -> None:
    with signals_deferred():
        signal.raise_signal(number)
        reached.append("the end")


@BOTH
def test_a_signal_inside_the_block_arrives_at_its_end(number: signal.Signals) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    signal.signal(number, interrupt)
    reached: list[str] = []
    with pytest.raises(Interrupted):
        be_interrupted(number, reached)

    assert signal.getsignal(number) is interrupt
    assert reached == ["the end"]


@BOTH
def test_a_signal_sets_the_event_that_stops_a_process(number: signal.Signals) -> None:
    stopped = stop_on_signals()
    assert not stopped.is_set()

    signal.raise_signal(number)

    assert stopped.wait(5)


@BOTH
def test_the_first_signal_interrupts_and_the_second_is_ignored(number: signal.Signals) -> None:
    interrupt_on_signals()

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)

    for each in ENDING:
        signal.raise_signal(each)
