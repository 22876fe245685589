from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from learning import Throttle, Trained, prepare


class CancelError(Exception):
    """What a caller raises to stop a training."""


def test_a_forest_tells_of_every_tree(flowers: BinaryIO, learn: Callable[..., Trained]) -> None:
    told: list[tuple[float, str]] = []
    learn(flowers, "kind", n_estimators=10, on_progress=lambda *call: told.append(call))
    assert told[:3] == [
        (0.0, "Reading the data"),
        (10.0, "Preparing the columns"),
        (15.0, "Growing tree 1 of 10"),
    ]
    assert (45.0, "Growing tree 5 of 10") in told
    assert told[-2:] == [(90.0, "Evaluating"), (100.0, "Finished")]


@pytest.mark.parametrize(
    ("algorithm", "calls"),
    [("random_forest", 104), ("gradient_boosting", 24), ("logistic_regression", 10)],
)
def test_a_real_table_is_learnt_step_by_step(
    learn: Callable[..., Trained], algorithm: str, calls: int
) -> None:
    source = BytesIO(load_breast_cancer(as_frame=True).frame.to_csv().encode())
    told: list[float] = []
    trained = learn(
        source, "target", algorithm, on_progress=lambda percent, _: told.append(percent)
    )
    assert len(told) >= calls
    assert told == sorted(told)
    assert trained.metrics["accuracy"] > 0.9
    assert trained.metrics["roc_auc"] > 0.95


@pytest.mark.parametrize("algorithm", ["random_forest", "gradient_boosting", "logistic_regression"])
def test_what_the_listener_raises_stops_the_training_in_the_middle(
    flowers: BinaryIO, learn: Callable[..., Trained], algorithm: str
) -> None:
    def cancel(percent: float, _message: str) -> None:
        if percent > 20:
            raise CancelError

    with pytest.raises(CancelError):
        learn(flowers, "kind", algorithm, on_progress=cancel)


def test_what_is_to_be_learnt_is_known_before_the_learning_starts(houses: BinaryIO) -> None:
    task = prepare(
        houses,
        target="price",
        algorithm="linear_regression",
        problem_type=None,
        hyperparameters={},
    )
    told: list[float] = []
    trained = task.learn(lambda percent, _: told.append(percent))
    assert (task.problem_type, task.row_count) == ("regression", 60)
    assert trained.row_count == 60
    assert (told[0], told[-1]) == (10, 100)


def test_a_throttle_passes_four_calls_a_second_and_the_last() -> None:
    now = [0.0]
    told: list[tuple[float, str]] = []
    throttle = Throttle(lambda *call: told.append(call), clock=lambda: now[0])
    for tenth in range(10):
        now[0] = tenth / 10
        throttle(tenth, "working")
    throttle(100, "done")
    assert told == [
        (0, "working"),
        (3, "working"),
        (6, "working"),
        (9, "working"),
        (100, "done"),
    ]


def test_a_throttle_lets_through_what_its_listener_raises() -> None:
    def cancel(_percent: float, _message: str) -> None:
        raise CancelError

    with pytest.raises(CancelError):
        Throttle(cancel)(0, "starting")


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(-10, 110)), min_size=1, max_size=50))
def test_a_throttle_is_never_early_and_never_goes_back(
    calls: list[tuple[float, float]],
) -> None:
    now = 0.0
    told: list[tuple[float, float]] = []
    throttle = Throttle(lambda percent, _: told.append((now, percent)), clock=lambda: now)
    for pause, percent in calls:
        now += pause
        throttle(percent, "working")
    throttle(100, "done")
    assert told[0][0] == calls[0][0]
    assert told[-1] == (now, 100.0)
    percents = [percent for _, percent in told]
    assert percents == sorted(percents)
    early = [moment for moment, percent in told if percent < 100]
    assert all(b - a >= 0.25 - 1e-9 for a, b in pairwise(early))
