from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning import ThrottledProgress


class CancelError(Exception):
    """What a caller raises to stop a training."""


def test_four_calls_a_second_and_the_last_are_passed_on() -> None:
    now = [0.0]
    reported: list[tuple[float, str]] = []
    throttle = ThrottledProgress(lambda *call: reported.append(call), clock=lambda: now[0])
    for tenth in range(10):
        now[0] = tenth / 10
        throttle(tenth, "working")
    throttle(100, "done")
    assert reported == [
        (0, "working"),
        (3, "working"),
        (6, "working"),
        (9, "working"),
        (100, "done"),
    ]


def test_an_error_of_the_wrapped_function_is_let_through() -> None:
    def cancel(_percent: float, _message: str) -> None:
        raise CancelError

    with pytest.raises(CancelError):
        ThrottledProgress(cancel)(0, "starting")


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(-10, 110)), min_size=1, max_size=50))
def test_progress_is_never_early_and_never_goes_back(
    calls: list[tuple[float, float]],
) -> None:
    now = 0.0
    reported: list[tuple[float, float]] = []
    throttle = ThrottledProgress(
        lambda percent, _: reported.append((now, percent)), clock=lambda: now
    )
    for pause, percent in calls:
        now += pause
        throttle(percent, "working")
    throttle(100, "done")
    assert reported[0][0] == calls[0][0]
    assert reported[-1] == (now, 100.0)
    percents = [percent for _, percent in reported]
    assert percents == sorted(percents)
    early = [moment for moment, percent in reported if percent < 100]
    assert all(b - a >= 0.25 - 1e-9 for a, b in pairwise(early))
