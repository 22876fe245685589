from math import inf, nan
from typing import BinaryIO

import pytest

from learning import BadHyperparameter
from tests.learning.factories import train


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
