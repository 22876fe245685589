"""The clean table of which the others are variants, and what must become of a variant."""

from collections.abc import Callable, Sequence
from io import BytesIO

import pandas as pd
from sklearn.datasets import load_iris

from learning import Corrections, Profile, TrainedModel, prepare, profile
from tests.learning.factories import ignore_progress

NUMBERS = ["sepal length", "sepal width", "petal length", "petal width"]
TARGET = "species"
DAYS = pd.date_range("2023-01-01", periods=150, freq="3D")


def iris() -> pd.DataFrame:
    """150 rows, 4 numbers, 3 classes; neither in order of the classes nor with equal rows."""
    frame: pd.DataFrame = load_iris(as_frame=True).frame
    frame.columns = [*NUMBERS, TARGET]
    names = dict(enumerate(["setosa", "versicolor", "virginica"]))
    frame[TARGET] = frame[TARGET].map(names)
    return frame.sample(frac=1, random_state=3).reset_index(drop=True)


def text(frame: pd.DataFrame, delimiter: str = ",", decimal: str = ".") -> str:
    return frame.to_csv(index=False, sep=delimiter, decimal=decimal)


def understood(content: bytes | str, **choices: object) -> Profile:
    data = content.encode() if isinstance(content, str) else content
    return profile(BytesIO(data), **choices)  # type: ignore[arg-type]


def corrected(content: bytes | str, **said: object) -> Profile:
    return understood(content, corrections=Corrections(**said))  # type: ignore[arg-type]


def trained_on(
    content: bytes | str,
    target: str = TARGET,
    algorithm: str = "random_forest",
    found: Profile | None = None,
) -> TrainedModel:
    data = content.encode() if isinstance(content, str) else content
    settings = {"n_estimators": 15} if algorithm == "random_forest" else {}
    training = prepare(
        BytesIO(data),
        target=target,
        algorithm=algorithm,
        problem_type=None,
        hyperparameters=settings,
        schema=None if found is None else found.schema,
    )
    return training.run(ignore_progress)


CLEAN = trained_on(text(iris()))


def assert_as_clean(content: bytes | str, score: float = 0.001) -> Profile:
    """The same columns of the same types, the same rows, and the same figures of a model."""
    found = understood(content)
    features = [(c.name, c.type) for c in found.columns if c.is_feature]
    assert features == [*((name, "number") for name in NUMBERS), (TARGET, "category")], features
    assert found.row_count == 150
    trained = trained_on(content, found=found)
    assert abs(trained.metrics["f1"] - CLEAN.metrics["f1"]) <= score
    return found


def codes(found: Profile) -> set[str]:
    return {notice.code for notice in found.notices}


def said(found: Profile, code: str) -> str:
    """The sentences of notices of a code."""
    return " ".join(notice.message for notice in found.notices if notice.code == code)


def changed(column: str, change: Callable[[object], object]) -> pd.DataFrame:
    """The clean table with one column's cells changed."""
    frame = iris()
    frame[column] = frame[column].map(change)
    return frame


def table(header: str, rows: Sequence[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def column_of(values: list[str], name: str = "x", delimiter: str = ";") -> Profile:
    """A table of that column, a number and a class, as understood."""
    rows = [delimiter.join([v, f"{i % 7}.5", "ab"[i % 2]]) for i, v in enumerate(values)]
    return understood(table(delimiter.join([name, "size", "kind"]), rows))
