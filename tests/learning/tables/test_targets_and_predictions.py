"""Targets, wide tables and rows to predict: rows 29 to 35 of the list."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from learning import MissingColumns, answer, prepare
from tests.learning.tables.clean import (
    CLEAN,
    NUMBERS,
    codes,
    iris,
    table,
    text,
    trained_on,
    understood,
)

FIRST = NUMBERS[0]


def test_29_classes_of_unequal_size() -> None:
    rows = [f"{i * 7 % 13},{'rare' if i % 50 == 0 else 'usual'}" for i in range(200)]
    trained = trained_on(table("a,goal", rows), "goal")
    [notice] = [n for n in trained.notices if n.code == "imbalance"]
    assert "98.0% of the rows are 'usual'" in notice.message


def test_30_few_rows_and_rare_classes() -> None:
    rows = [f"{i % 7}.5,{'ab'[i % 2]}" for i in range(29)] + ["1.5,c"]
    assert "'c' (1)" in " ".join(
        n.message for n in trained_on(table("a,goal", rows), "goal").notices
    )
    with pytest.raises(Exception, match="at least 10"):
        trained_on(table("a,goal", rows[:2]), "goal")


def test_31_many_different_labels() -> None:
    rng = np.random.default_rng(0)
    rows = [f"{w},{i % 5}.5,{'ab'[i % 2]}" for i, w in enumerate(rng.integers(0, 15_000, 40_000))]
    content = table("word,size,kind", [f"w{row}" for row in rows])
    found = understood(content)
    assert found.columns[0].type == "category"
    assert "many_labels" in codes(found)
    assert len(found.columns[0].categories) <= 1_000


def test_31_two_thousand_such_columns() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{j}": rng.integers(0, 10**9, 300) for j in range(2_000)})
    found = understood(text(frame.map(lambda n: f"w{n}")))
    assert found.column_count == 2_000
    assert all(len(c.categories) <= 50 for c in found.columns)


def test_32_constant_empty_and_uuid_columns() -> None:
    frame = iris()
    frame["same"], frame["nothing"] = "x", None
    frame["key"] = [f"{i:08x}-0000-4000-8000-{i * 7919:012x}" for i in range(150)]
    found = understood(text(frame))
    assert {c.name: c.type for c in found.columns[5:]} == {
        "same": "constant",
        "nothing": "empty",
        "key": "id",
    }
    assert {"constant", "empty", "id"} <= codes(found)
    assert trained_on(text(frame)).feature_names == tuple(NUMBERS)


@pytest.mark.parametrize(
    ("labels", "positive"),
    [(["Cardiac", "NonCardiac", "NonCardiac"], "Cardiac"), (["no", "yes"], "yes")],
)
def test_33_the_positive_class_is_shown(labels: list[str], positive: str) -> None:
    rows = [f"{i % 7},{labels[i % len(labels)]}" for i in range(60)]
    trained = trained_on(table("a,goal", rows), "goal")
    assert f"'{positive}'" in " ".join(
        n.message for n in trained.notices if n.code == "positive_class"
    )


def test_34_weather_by_hour() -> None:
    at = pd.date_range("2023-03-01", periods=600, freq="h")
    rng = np.random.default_rng(0)
    warmth = 10 + 8 * np.sin((at.hour.to_numpy() - 6) / 24 * 2 * np.pi) + rng.normal(0, 0.3, 600)
    frame = pd.DataFrame({"at": at.strftime("%d.%m.%Y %H:%M"), "warmth": warmth.round(2)})
    trained = trained_on(text(frame), "warmth")
    assert trained.metrics["r2"] > 0.9
    assert "time" in {n.code for n in trained.notices}


def test_35_rows_to_predict() -> None:
    rows = pd.DataFrame({name: ["5.1", "abc", -999] for name in reversed(NUMBERS)}, dtype=object)
    rows["extra"] = 1
    found = answer(CLEAN, rows)
    assert len(found.predictions) == 3
    said = {n.code: n for n in found.notices}
    assert "extra" in said["extra_columns"].message
    assert "Row 2" in said["not_readable"].message
    assert "'abc'" in said["not_readable"].message
    outside = {n.column: n.message for n in found.notices if n.code == "out_of_range"}
    assert "Row 3" in outside[FIRST]
    with pytest.raises(MissingColumns, match="petal width"):
        answer(CLEAN, rows.drop(columns="petal width"))
    assert answer(CLEAN, []).predictions == []


def test_35_a_town_that_the_training_never_saw() -> None:
    rows = [f"{['Oslo', 'Bern', 'Rome'][i % 3]},{i % 3 * 2 + 1}.5" for i in range(60)]
    training = prepare(
        BytesIO(table("town,goal", rows).encode()), target="goal", algorithm="linear_regression",
        problem_type=None, hyperparameters={},
    )  # fmt: skip
    trained = training.run(lambda *_: None)
    found = answer(trained, [{"town": "Paris"}, {"town": "Oslo"}])
    assert "'Paris'" in found.notices[0].message
    assert "other" in found.notices[0].message
