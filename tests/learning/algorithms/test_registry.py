from typing import BinaryIO

import pytest

from learning import UnknownAlgorithm
from tests.learning.factories import csv, train


def test_an_unknown_algorithm_is_answered_with_the_known_ones(flowers: BinaryIO) -> None:
    with pytest.raises(UnknownAlgorithm) as raised:
        train(flowers, "kind", "crystal_ball")
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
    flowers: BinaryIO, algorithm: str, problem_type: str
) -> None:
    with pytest.raises(UnknownAlgorithm, match=f"problem type '{problem_type}'"):
        train(flowers, "kind", algorithm, problem_type)


def test_an_algorithm_for_one_problem_type_decides_it() -> None:
    rows = list(range(30))
    trained = train(csv(a=rows, goal=[0, 1] * 15), "goal", "linear_regression")
    assert trained.problem_type == "regression"
