from typing import BinaryIO

import pandas as pd
import pytest

from learning import MissingColumns, predict
from tests.learning.factories import train


def test_a_class_is_predicted_with_its_probability(flowers: BinaryIO) -> None:
    trained = train(flowers, "kind")
    rows = pd.DataFrame({"colour": ["red", "blue"], "size": [2, 17], "extra": [0, 0]})
    found = predict(trained, rows)
    assert [prediction.label for prediction in found] == ["rose", "iris"]
    assert all(0.5 < (prediction.probability or 0) <= 1 for prediction in found)


def test_a_number_is_predicted_without_a_probability(houses: BinaryIO) -> None:
    trained = train(houses, "price", "linear_regression", alpha=0.001)
    [found] = predict(trained, pd.DataFrame({"area": [100]}))
    assert found.label == pytest.approx(300_500.5, rel=0.01)
    assert found.probability is None


@pytest.mark.parametrize(
    "value", [None, "?", "3", 1e400, 10**400, True, [1], {"a": 1}, 2 + 1j, pd.NA]
)
def test_a_value_of_another_type_counts_as_missing(flowers: BinaryIO, value: object) -> None:
    trained = train(flowers, "kind")
    rows = pd.DataFrame({"size": [value], "colour": [value]}, dtype=object)
    [found] = predict(trained, rows)
    assert found.label in {"rose", "iris"}


def test_no_rows_give_no_predictions(houses: BinaryIO) -> None:
    trained = train(houses, "price", "linear_regression")
    assert predict(trained, pd.DataFrame({"area": []})) == []


def test_rows_that_lack_a_feature_are_refused(flowers: BinaryIO) -> None:
    trained = train(flowers, "kind", n_estimators=1)
    with pytest.raises(MissingColumns, match=r"learnt from: colour\. Add them"):
        predict(trained, pd.DataFrame({"size": [1]}))
