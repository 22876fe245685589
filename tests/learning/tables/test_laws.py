"""Laws that hold for any table, any dialect, any bytes."""

import random
from io import BytesIO

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning import LearningError, Profile, answer, prepare, profile, read, transform
from tests.learning.factories import ignore_progress
from tests.learning.tables.clean import NUMBERS, TARGET, iris, text
from tests.learning.tables.dialects import Dialect, dialects, tables, written

LAW = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


@LAW
@given(frame=tables(), dialect=dialects())
def test_a_table_in_any_dialect_comes_back_equal_or_a_notice_says_where_not(
    frame: pd.DataFrame, dialect: Dialect
) -> None:
    content = written(frame, dialect)
    found = profile(BytesIO(content))
    assert found.row_count == len(frame) or lines_left_out(found)
    back = read(BytesIO(content), found.schema)
    for name in frame.columns:
        if not is_equal(frame[name], back, name):
            about = [n for n in found.notices if n.column == name or n.code == "total_rows"]
            assert about, (name, dialect, found.notices)


def lines_left_out(found: Profile) -> bool:
    return any(
        notice.lines and notice.code in {"total_rows", "headings"} for notice in found.notices
    )


def is_equal(clean: pd.Series, back: pd.DataFrame, name: str) -> bool:
    if name not in back or len(back) != len(clean):
        return False
    column = back[name]
    if clean.dtype == np.float64:
        if column.dtype != np.float64:
            return False
        return bool(np.allclose(clean.to_numpy(), column.to_numpy(), equal_nan=True))
    if clean.dtype.kind == "M":
        return column.dtype.kind == "M" and bool((clean.to_numpy() == column.to_numpy()).all())
    return column.astype(str).tolist() == clean.tolist()


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary()
    | st.text(alphabet='a1,;"\n\r\t .é-|').map(str.encode)
    | st.integers(0, 10**9).map(lambda seed: random.Random(seed).randbytes(3_000))
)
def test_any_bytes_are_refused_in_a_sentence_or_have_a_notice(content: bytes) -> None:
    try:
        found = profile(BytesIO(content))
    except LearningError:
        return
    assert found.notices
    assert read(BytesIO(content), found.schema) is not None


def mixed() -> pd.DataFrame:
    """A column of each kind beside the clean table."""
    frame = iris()
    frame["price"] = [f"€ {i * 37 % 90},{i % 90 + 10}" for i in range(150)]
    frame["share"] = [f"{i % 70}%" if i % 9 else "n/k" for i in range(150)]
    frame["day"] = pd.date_range("2023-01-01", periods=150).strftime("%d.%m.%Y")
    frame["took"] = [
        f"{i % 50 + 1}:{i % 60:02}" if i % 2 else f"1:{i % 60:02}:07" for i in range(150)
    ]
    frame["age"] = [["18-24", "25-34", "65+"][i % 3] for i in range(150)]
    frame["postcode"] = [f"0{i % 7}100" for i in range(150)]
    frame["answer"] = [["Yes", "yes ", "NO"][i % 3] for i in range(150)]
    frame["ticked"] = ["3" if i % 4 else "" for i in range(150)]
    frame["remark"] = [f"found by the river number {i} in the {i % 7} wood" for i in range(150)]
    return frame


def test_rows_of_the_trainings_own_file_are_seen_as_the_training_saw_them() -> None:
    content = text(mixed(), ";", ",").encode()
    training = prepare(
        BytesIO(content), target=TARGET, algorithm="random_forest", problem_type=None,
        hyperparameters={"n_estimators": 3},
    )  # fmt: skip
    types = {column.type for column in training.features.columns}
    assert types == {"number", "category", "date", "text"}
    assert len(training.features.columns) == len(NUMBERS) + 9
    rows = pd.read_csv(BytesIO(content), sep=";", dtype=str, keep_default_na=False)
    applied = transform(rows, training.features.columns)
    for name in training.frame.columns:
        given, seen = applied.frame[name], training.frame[name]
        same = given.astype(str).tolist() == seen.astype(str).tolist()
        assert same, (name, given.head().tolist(), seen.head().tolist())
    trained = training.run(ignore_progress)
    every = training.target.values.to_numpy()
    right = [
        p.label == label for p, label in zip(answer(trained, rows).predictions, every, strict=True)
    ]
    assert sum(right) > 130
