from math import inf

import pytest

from learning import UnreadableData
from tests.learning.factories import csv, train


def test_a_file_without_features_is_refused() -> None:
    with pytest.raises(UnreadableData, match="no column with values besides 'goal'"):
        train(csv(goal=list(range(30)), empty=[None] * 30, endless=[inf] * 30), "goal")


def test_a_categorical_column_becomes_at_most_twenty_columns() -> None:
    rows = list(range(500))
    trained = train(csv(name=[f"n{n}" for n in rows], goal=rows), "goal")
    assert trained.model["model"].n_features_in_ == 20


def test_all_categorical_columns_become_at_most_a_thousand() -> None:
    rows = list(range(40))
    texts = {f"column_{c}": [f"t{(n * c) % 37}" for n in rows] for c in range(300)}
    trained = train(csv(**texts, goal=rows), "goal", n_estimators=1)
    assert trained.model["model"].n_features_in_ <= 1_000


def test_a_numeric_column_may_hold_a_few_words() -> None:
    rows = list(range(100))
    strays = [str(n) if n % 50 else "n.a." for n in rows]
    trained = train(csv(area=strays, price=rows), "price", "linear_regression")
    assert trained.metrics["r2"] > 0.8


def test_empty_columns_are_left_out() -> None:
    rows = list(range(20))
    trained = train(csv(a=rows, empty=[None] * 20, b=["x", "y"] * 10, goal=rows), "goal")
    assert trained.feature_names == ("a", "b")
    assert (trained.row_count, trained.column_count) == (20, 4)
