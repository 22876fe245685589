from collections.abc import Callable
from io import BytesIO
from math import inf, isfinite, nan
from typing import BinaryIO

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning import LearningError, Trained, load, predict, save

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
def test_any_table_is_learnt_from_or_ends_in_a_clear_error(
    learn: Callable[..., Trained],
    source: BinaryIO,
    choice: tuple[str, dict[str, object]],
    problem_type: str | None,
) -> None:
    algorithm, hyperparameters = choice
    try:
        trained = learn(source, "goal", algorithm, problem_type, **hyperparameters)
    except LearningError:
        return
    assert all(isfinite(value) for value in trained.metrics.values())
    source.seek(0)
    rows = pd.read_csv(source)
    file = BytesIO()
    save(trained, file)
    file.seek(0)
    assert len(predict(load(file), rows)) == len(rows)


def test_a_column_of_many_texts_becomes_few_columns(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    rows = list(range(500))
    trained = learn(csv(name=[f"n{n}" for n in rows], goal=rows), "goal")
    assert trained.model["model"].n_features_in_ == 20


def test_many_columns_of_text_share_a_bounded_number(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    rows = list(range(40))
    texts = {f"column_{c}": [f"t{(n * c) % 37}" for n in rows] for c in range(300)}
    trained = learn(csv(**texts, goal=rows), "goal", n_estimators=1)
    assert trained.model["model"].n_features_in_ <= 1_000


def test_a_few_stray_words_do_not_make_text_of_numbers(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    rows = list(range(100))
    strays = [str(n) if n % 50 else "n.a." for n in rows]
    trained = learn(csv(area=strays, price=rows), "price", "linear_regression")
    assert trained.metrics["r2"] > 0.8


def test_empty_columns_are_left_out(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained]
) -> None:
    rows = list(range(20))
    trained = learn(csv(a=rows, empty=[None] * 20, b=["x", "y"] * 10, goal=rows), "goal")
    assert trained.feature_names == ("a", "b")
    assert (trained.row_count, trained.column_count) == (20, 4)


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_the_rows_examined_hold_every_class(
    csv: Callable[..., BinaryIO], learn: Callable[..., Trained], share: float
) -> None:
    rows = list(range(100))
    kinds = ["rare" if n < share * 100 else "usual" for n in rows]
    trained = learn(csv(size=rows, kind=kinds), "kind", n_estimators=5)
    assert set(trained.metrics) >= {"accuracy", "precision", "recall", "f1"}
    assert all(0 <= value <= 1 for value in trained.metrics.values())
