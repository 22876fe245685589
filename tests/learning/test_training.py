from io import BytesIO
from math import inf, isfinite, nan
from typing import BinaryIO

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer

from learning import LearningError, load, predict, prepare, save
from tests.learning.factories import ignore_progress, train

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.sampled_from([1e300, -1e300, 1e31, 10**40, 1e-300, inf, nan, 1e30, -1e30]),
    st.sampled_from(["a", "b", "c", " a", "1", "-", "2020-01-01", "é", 'quo"te,']),
    st.text(max_size=5),
)
COLUMNS = st.sampled_from(
    [
        CELLS,
        st.floats(),
        st.floats(0, 1),
        st.sampled_from([1e30, -1e30, 9e29]),
        st.integers(0, 3),
        st.integers(),
        st.booleans(),
        st.sampled_from(["a", "b", "c"]),
        st.none(),
        st.just(7),
    ]
)
ALGORITHMS = st.sampled_from(
    [
        ("random_forest", {"n_estimators": 2}),
        ("gradient_boosting", {"n_estimators": 2, "min_samples_leaf": 1}),
        ("logistic_regression", {"max_iter": 20}),
        ("linear_regression", {}),
    ]
)


class CancelError(Exception):
    """What a caller raises to stop a training."""


@st.composite
def tables(draw: st.DrawFn) -> BinaryIO:
    rows = draw(st.integers(8, 40))
    columns = {
        name: draw(st.lists(draw(COLUMNS), min_size=rows, max_size=rows))
        for name in ("goal", "first", "second", "third")
    }
    return BytesIO(pd.DataFrame(columns).to_csv(index=False).encode("utf-8", "replace"))


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    source=tables(),
    choice=ALGORITHMS,
    problem_type=st.sampled_from([None, "classification", "regression"]),
)
def test_any_table_gives_a_model_or_a_learning_error(
    source: BinaryIO,
    choice: tuple[str, dict[str, object]],
    problem_type: str | None,
) -> None:
    algorithm, hyperparameters = choice
    try:
        trained = train(source, "goal", algorithm, problem_type, ignore_progress, **hyperparameters)
    except LearningError:
        return
    assert all(isfinite(value) for value in trained.metrics.values())
    source.seek(0)
    rows = pd.read_csv(source)
    file = BytesIO()
    save(trained, file)
    file.seek(0)
    assert len(predict(load(file), rows)) == len(rows)


def test_the_same_file_gives_the_same_model(houses: BinaryIO) -> None:
    first = train(houses, "price")
    houses.seek(0)
    assert train(houses, "price").metrics == first.metrics


def test_the_problem_type_and_size_are_known_before_the_training_runs(houses: BinaryIO) -> None:
    training = prepare(
        houses,
        target="price",
        algorithm="linear_regression",
        problem_type=None,
        hyperparameters={},
    )
    reported: list[float] = []
    trained = training.run(lambda percent, _: reported.append(percent))
    assert (training.problem_type, training.row_count) == ("regression", 60)
    assert trained.row_count == 60
    assert (reported[0], reported[-1]) == (10, 100)


@pytest.mark.parametrize(
    ("algorithm", "calls"),
    [("random_forest", 103), ("gradient_boosting", 23), ("logistic_regression", 10)],
)
def test_a_real_table_is_trained_on_step_by_step(algorithm: str, calls: int) -> None:
    source = BytesIO(load_breast_cancer(as_frame=True).frame.to_csv().encode())
    reported: list[float] = []
    trained = train(
        source, "target", algorithm, on_progress=lambda percent, _: reported.append(percent)
    )
    assert len(reported) >= calls
    assert reported == sorted(reported)
    assert trained.metrics["accuracy"] > 0.9
    assert trained.metrics["roc_auc"] > 0.95


@pytest.mark.parametrize("algorithm", ["random_forest", "gradient_boosting", "logistic_regression"])
def test_an_error_of_the_callback_stops_the_training(flowers: BinaryIO, algorithm: str) -> None:
    def cancel(percent: float, _message: str) -> None:
        if percent > 20:
            raise CancelError

    with pytest.raises(CancelError):
        train(flowers, "kind", algorithm, on_progress=cancel)
