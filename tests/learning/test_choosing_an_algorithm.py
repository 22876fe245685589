from collections.abc import Callable
from math import inf, nan
from typing import BinaryIO

import pytest

from learning import BadHyperparameter, Trained, UnknownAlgorithm


def test_an_unknown_algorithm_is_answered_with_the_known_ones(
    flowers: BinaryIO, learn: Callable[..., Trained]
) -> None:
    with pytest.raises(UnknownAlgorithm) as raised:
        learn(flowers, "kind", "crystal_ball")
    assert str(raised.value) == (
        "There is no algorithm 'crystal_ball'. Choose one of: random_forest, "
        "gradient_boosting, logistic_regression, linear_regression."
    )


@pytest.mark.parametrize(
    ("algorithm", "problem_type"),
    [
        ("logistic_regression", "regression"),
        ("linear_regression", "classification"),
        ("random_forest", "clustering"),
    ],
)
def test_an_algorithm_solves_only_its_own_problem_types(
    flowers: BinaryIO, learn: Callable[..., Trained], algorithm: str, problem_type: str
) -> None:
    with pytest.raises(UnknownAlgorithm, match=f"problem type '{problem_type}'"):
        learn(flowers, "kind", algorithm, problem_type)


def test_a_setting_that_is_not_on_the_list_is_refused(
    flowers: BinaryIO, learn: Callable[..., Trained]
) -> None:
    with pytest.raises(BadHyperparameter, match="no setting 'n_jobs' for this algorithm"):
        learn(flowers, "kind", n_jobs=64)


@pytest.mark.parametrize("value", [0, 1001, 2.5, "100", None, True, [], {}, nan, inf, 10**400])
def test_a_value_out_of_bounds_is_refused(
    flowers: BinaryIO, learn: Callable[..., Trained], value: object
) -> None:
    with pytest.raises(BadHyperparameter, match="a whole number from 1 to 1000, but"):
        learn(flowers, "kind", n_estimators=value)


@pytest.mark.parametrize("value", [0, 10_001, "1", None, True, nan, inf])
def test_a_number_out_of_bounds_is_refused(
    flowers: BinaryIO, learn: Callable[..., Trained], value: object
) -> None:
    with pytest.raises(BadHyperparameter, match=r"'C' must be a number from 0\.0001 to"):
        learn(flowers, "kind", "logistic_regression", C=value)


def test_settings_reach_the_model(flowers: BinaryIO, learn: Callable[..., Trained]) -> None:
    trained = learn(flowers, "kind", n_estimators=3.0, max_depth=None)
    assert len(trained.model["model"].estimators_) == 3


def test_boosting_counts_its_trees_like_the_forest(
    flowers: BinaryIO, learn: Callable[..., Trained]
) -> None:
    trained = learn(flowers, "kind", "gradient_boosting", n_estimators=33)
    assert trained.model["model"].n_iter_ == 33


def test_weights_may_stop_short_of_the_best_without_a_warning(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    rows = list(range(40))
    kinds = [f"kind {n * n % 7}" for n in rows]
    source = csv(**{f"modulo {d}": [n % d for n in rows] for d in range(2, 9)}, kind=kinds)
    trained = learn(source, "kind", "logistic_regression", max_iter=10, C=10_000)
    assert trained.model["model"].n_iter_ == 10
