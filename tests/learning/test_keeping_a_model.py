import json
import pickle
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO
from zipfile import ZipFile

import pandas as pd
import pytest
import skops.io
from sklearn.svm import SVC

from learning import MissingColumns, Trained, UnreadableModel, load, predict, save

ALGORITHMS = [
    ("flowers", "kind", "random_forest"),
    ("flowers", "kind", "gradient_boosting"),
    ("flowers", "kind", "logistic_regression"),
    ("houses", "price", "random_forest"),
    ("houses", "price", "gradient_boosting"),
    ("houses", "price", "linear_regression"),
]


@pytest.mark.parametrize(("table", "target", "algorithm"), ALGORITHMS)
def test_a_model_predicts_the_same_after_it_was_kept(
    request: pytest.FixtureRequest,
    learn: Callable[..., Trained],
    table: str,
    target: str,
    algorithm: str,
) -> None:
    source: BinaryIO = request.getfixturevalue(table)
    trained = learn(source, target, algorithm)
    source.seek(0)
    rows = pd.read_csv(source)
    file = BytesIO()
    save(trained, file)
    file.seek(0)
    kept = load(file)
    assert predict(kept, rows) == predict(trained, rows)
    assert (kept.metrics, kept.classes) == (trained.metrics, trained.classes)
    assert kept.feature_names == trained.feature_names


def foreign_models() -> list[bytes]:
    archive = BytesIO()
    with ZipFile(archive, "w") as file:
        file.writestr("schema.json", json.dumps({"protocol": 2}))
    return [
        b"",
        b"no archive",
        pickle.dumps({"model": None}),
        archive.getvalue(),
        skops.io.dumps({"model": SVC()}),
        skops.io.dumps([1, 2]),
        skops.io.dumps({"model": BytesIO.read}),
    ]


@pytest.mark.parametrize("content", foreign_models())
def test_a_file_that_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableModel, match="Train the model again"):
        load(BytesIO(content))


def test_a_class_comes_with_its_probability(
    flowers: BinaryIO, learn: Callable[..., Trained]
) -> None:
    trained = learn(flowers, "kind")
    rows = pd.DataFrame({"colour": ["red", "blue"], "size": [2, 17], "extra": [0, 0]})
    found = predict(trained, rows)
    assert [prediction.label for prediction in found] == ["rose", "iris"]
    assert all(0.5 < (prediction.probability or 0) <= 1 for prediction in found)


def test_an_amount_comes_without_a_probability(
    houses: BinaryIO, learn: Callable[..., Trained]
) -> None:
    trained = learn(houses, "price", "linear_regression", alpha=0.001)
    [found] = predict(trained, pd.DataFrame({"area": [100]}))
    assert found.label == pytest.approx(300_500.5, rel=0.01)
    assert found.probability is None


@pytest.mark.parametrize(
    "value", [None, "?", "3", 1e400, 10**400, True, [1], {"a": 1}, 2 + 1j, pd.NA]
)
def test_a_strange_value_is_predicted_as_if_it_were_missing(
    flowers: BinaryIO, learn: Callable[..., Trained], value: object
) -> None:
    trained = learn(flowers, "kind")
    rows = pd.DataFrame({"size": [value], "colour": [value]}, dtype=object)
    [found] = predict(trained, rows)
    assert found.label in {"rose", "iris"}


def test_no_rows_give_no_predictions(houses: BinaryIO, learn: Callable[..., Trained]) -> None:
    trained = learn(houses, "price", "linear_regression")
    assert predict(trained, pd.DataFrame({"area": []})) == []


def test_rows_without_a_learnt_column_are_refused(
    flowers: BinaryIO, learn: Callable[..., Trained]
) -> None:
    trained = learn(flowers, "kind", n_estimators=1)
    with pytest.raises(MissingColumns, match=r"learnt from: colour\. Add them"):
        predict(trained, pd.DataFrame({"size": [1]}))


def test_the_same_file_gives_the_same_model(
    houses: BinaryIO, learn: Callable[..., Trained]
) -> None:
    first = learn(houses, "price")
    houses.seek(0)
    assert learn(houses, "price").metrics == first.metrics
