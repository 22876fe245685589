"""Signals that are held back are late, not lost."""

import signal

import pytest

from runtime.signals import signals_deferred


class Interrupted(Exception):
    pass


def be_interrupted(number: signal.Signals, reached: list[str]) -> None:
    with signals_deferred():
        signal.raise_signal(number)
        reached.append("the end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_inside_the_block_arrives_at_its_end(number: signal.Signals) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    usual = signal.signal(number, interrupt)
    reached: list[str] = []
    try:
        with pytest.raises(Interrupted):
            be_interrupted(number, reached)
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, usual)
    assert reached == ["the end"]
