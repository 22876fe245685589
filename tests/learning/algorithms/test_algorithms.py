"""Each algorithm takes its settings, and no other, and reports what it does."""

from math import inf, nan
from typing import BinaryIO

import pytest

from learning import BadHyperparameter
from tests.learning.factories import csv, train


def test_a_hyperparameter_that_the_algorithm_does_not_have_is_refused(flowers: BinaryIO) -> None:
    with pytest.raises(BadHyperparameter, match="no setting 'n_jobs' for this algorithm"):
        train(flowers, "kind", n_jobs=64)


@pytest.mark.parametrize("value", [0, 1001, 2.5, "100", None, True, [], {}, nan, inf, 10**400])
def test_a_whole_number_out_of_range_is_refused(flowers: BinaryIO, value: object) -> None:
    with pytest.raises(BadHyperparameter, match="a whole number from 1 to 1000, but"):
        train(flowers, "kind", n_estimators=value)


@pytest.mark.parametrize("value", [0, 10_001, "1", None, True, nan, inf])
def test_a_number_out_of_range_is_refused(flowers: BinaryIO, value: object) -> None:
    with pytest.raises(BadHyperparameter, match=r"'C' must be a number from 0\.0001 to"):
        train(flowers, "kind", "logistic_regression", C=value)


def test_hyperparameters_reach_the_estimator(flowers: BinaryIO) -> None:
    trained = train(flowers, "kind", n_estimators=3.0, max_depth=None)
    assert len(trained.model["model"].estimators_) == 3


def test_a_solver_may_stop_before_it_converges_without_a_warning() -> None:
    rows = list(range(40))
    kinds = [f"kind {n * n % 7}" for n in rows]
    source = csv(**{f"modulo {d}": [n % d for n in rows] for d in range(2, 9)}, kind=kinds)
    trained = train(source, "kind", "logistic_regression", max_iter=10, C=10_000)
    assert trained.model["model"].n_iter_ == 10


def test_boosting_counts_its_trees_like_the_forest(flowers: BinaryIO) -> None:
    trained = train(flowers, "kind", "gradient_boosting", n_estimators=33)
    assert trained.model["model"].n_iter_ == 33


def test_a_forest_reports_every_tree(flowers: BinaryIO) -> None:
    reported: list[tuple[float, str]] = []
    train(flowers, "kind", n_estimators=10, on_progress=lambda *call: reported.append(call))
    assert reported[:2] == [(10.0, "Preparing the columns"), (15.0, "Growing tree 1 of 10")]
    assert (45.0, "Growing tree 5 of 10") in reported
    assert reported[-2:] == [(90.0, "Evaluating"), (100.0, "Finished")]
