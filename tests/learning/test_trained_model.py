import json
import pickle
from io import BytesIO
from typing import BinaryIO
from zipfile import ZipFile

import pandas as pd
import pytest
import skops.io
from sklearn.svm import SVC

from learning import UnreadableModel, load, predict, save
from tests.learning.factories import train

ALGORITHMS = [
    ("flowers", "kind", "random_forest"),
    ("flowers", "kind", "gradient_boosting"),
    ("flowers", "kind", "logistic_regression"),
    ("houses", "price", "random_forest"),
    ("houses", "price", "gradient_boosting"),
    ("houses", "price", "linear_regression"),
]


@pytest.mark.parametrize(("table", "target", "algorithm"), ALGORITHMS)
def test_a_saved_model_predicts_the_same(
    request: pytest.FixtureRequest,
    table: str,
    target: str,
    algorithm: str,
) -> None:
    source: BinaryIO = request.getfixturevalue(table)
    trained = train(source, target, algorithm)
    source.seek(0)
    rows = pd.read_csv(source)
    file = BytesIO()
    save(trained, file)
    file.seek(0)
    loaded = load(file)
    assert predict(loaded, rows) == predict(trained, rows)
    assert (loaded.metrics, loaded.classes) == (trained.metrics, trained.classes)
    assert loaded.feature_names == trained.feature_names


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
