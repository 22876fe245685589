"""Kinds of columns and headers in files that people published: rows 36 to 45 of the list."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from learning import UnreadableData, UnusableTarget, prepare
from tests.learning.tables.clean import (
    NUMBERS,
    TARGET,
    assert_as_clean,
    codes,
    column_of,
    corrected,
    iris,
    said,
    table,
    text,
    trained_on,
    understood,
)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("PLZ", ["10115", "20095", "80331", "50667"]),
        ("account", ["501", "518", "602"]),
        ("material", ["10023", "10024", "20077"]),
        ("station_id", ["7", "12", "31"]),
        ("brand", ["1", "2", "9"]),
        ("x", ["00123", "04567", "12345"]),
    ],
)
def test_36_codes_written_as_numbers(name: str, values: list[str]) -> None:
    found = column_of(values * 12, name)
    assert found.columns[0].type == "category"
    assert "code" in codes(found)
    rows = [f"{v};{i % 7}.5" for i, v in enumerate(values * 12)]
    content = table(f"{name};size", rows).encode()
    with pytest.raises(UnusableTarget, match="looks like a code, not an amount"):
        prepare_regression(content, name)


def prepare_regression(content: bytes, target: str) -> None:
    prepare(
        BytesIO(content), target=target, algorithm="linear_regression",
        problem_type="regression", hyperparameters={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "values", "low", "high"),
    [
        ("x", ["58:34", "1:58:06", "59:01"], 3514, 7086),
        ("x", ["8:05", "17:30", "23:59"], 29_100, 86_340),
        ("x", ["12:27AM", "1:05 pm"], 1620, 47_100),
        ("dep_time", [*map(str, range(900, 960, 4)), "5", "1759"], 300, 64_740),
        ("x", ["1 h 30 min", "2 h 5 min"], 5400, 7500),
    ],
)
def test_37_durations_and_times(name: str, values: list[str], low: float, high: float) -> None:
    found = column_of(values * 5, name)
    first = found.columns[0]
    assert (first.type, first.unit, first.low, first.high) == ("number", "s", low, high)
    assert codes(found) & {"duration", "time_of_day"}


def test_37_months_and_joined_columns() -> None:
    months = column_of(["2020年9月", "2020年10月"] * 10)
    assert (months.columns[0].type, months.columns[0].format) == ("date", "%Y年%m月")
    rows = [f"{d:02}.03.2023,{d % 24}:30,{d}.5" for d in range(1, 29)]
    found = understood(table("date,time,value", rows))
    assert found.columns[0].joined == ("time",)
    assert "joined" in codes(found)
    rows = [f"{2000 + i // 12},{i % 12 + 1},{i * 37 % 11}.5" for i in range(60)]
    found = understood(table("year,month,value", rows))
    assert (found.columns[0].type, found.columns[0].joined) == ("date", ("month",))


@pytest.mark.parametrize("marker", [":", "--", "---", "-", ".", "*****", "***"])
def test_38_markers(marker: str) -> None:
    found = column_of([marker, "3", "4.5", "6", "8", "1"] * 5)
    assert (found.columns[0].type, found.columns[0].missing) == ("number", 5)
    assert f"'{marker}'" in said(found, "markers")


@pytest.mark.parametrize("flag", [" b", "*", "#", " e", "(p)", "†"])
def test_38_flags_behind_numbers(flag: str) -> None:
    found = column_of([f"78115{flag}", "12000", "5000", "44000", "310"] * 5)
    assert (found.columns[0].type, found.columns[0].high) == ("number", 78_115)
    assert "flags" in codes(found)


def test_39_headers_of_several_lines() -> None:
    body = text(iris()).split("\n", 1)[1]
    groups = "Sepal,,Petal,,\nlength,width,length,width,species\n"
    assert_as_clean_renamed(
        groups + body, ["Sepal length", "Sepal width", "Petal length", "Petal width", "species"]
    )
    units = "sepal length,sepal width,petal length,petal width,species\ncm,cm,cm,cm,-\n"
    found = assert_as_clean(units + body)
    assert [c.unit for c in found.columns] == ["cm"] * 4 + [None]
    survey = (
        "Q1,Q2,Q3,Q4,Q5\nHow long?,How wide?,Petals long?,Petals wide?,Which?\n"
        + ",".join(f'"{{""ImportId"":""QID{i}""}}"' for i in range(5))
        + "\n"
    )
    found = understood(survey + body)
    assert (found.row_count, found.columns[0].name) == (150, "Q1 How long?")
    assert {"header_technical", "header_joined"} <= codes(found)


def assert_as_clean_renamed(content: str, names: list[str]) -> None:
    found = understood(content)
    assert [c.name for c in found.columns] == names
    assert [c.type for c in found.columns] == ["number"] * 4 + ["category"]
    assert "header_joined" in codes(found)


@pytest.mark.parametrize(
    ("formula", "sign"),
    [
        (lambda a, b: a + b, "a + b"),
        (lambda a, b: a - b, "a"),
        (lambda a, _: 100 - a, "a"),
        (lambda a, b: (a + b) / 2, "0.5"),
        (lambda a, b: ((b - a) / a * 100).round(1), "change from a to b"),
        (lambda a, b: (a * b).round(3), "a × b"),
        (lambda a, b: (a / (a + b)).round(4), "a / (a + b)"),
    ],
)
def test_40_a_target_that_follows_from_others(formula: object, sign: str) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"a": rng.uniform(5, 50, 80).round(2), "b": rng.uniform(5, 50, 80).round(2)}
    )
    frame["goal"] = formula(frame.a, frame.b)  # type: ignore[operator]
    trained = trained_on(text(frame), "goal")
    assert sign in " ".join(n.message for n in trained.notices if n.code == "gives_target_away")


def test_40_a_target_that_follows_from_nothing_is_not_accused() -> None:
    frame = iris().drop(columns=TARGET)
    notices = trained_on(text(frame), NUMBERS[3]).notices
    assert "gives_target_away" not in {n.code for n in notices}


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (["1 100 [745 - 1 570]", "900 [600 - 1 200]"], 900, 1100),
        (["5-6", "7", "8 – 10"], 5.5, 9),
        (["from 6", "3", "10+"], 3, 10),
        (["18-24", "25-34", "65+"], 21, 65),
        (["<0.5", "1.2", "> 80"], 0.5, 80),
    ],
)
def test_41_ranges_and_intervals(values: list[str], low: float, high: float) -> None:
    found = column_of(values * 8)
    assert (found.columns[0].type, found.columns[0].low, found.columns[0].high) == (
        "number",
        low,
        high,
    )
    assert "ranges" in codes(found)


def test_42_a_header_that_misleads_about_the_delimiter() -> None:
    frame = iris().rename(columns={n: f"{n}, cm, mean, of two" for n in NUMBERS})
    content = frame.to_csv(index=False, sep=";", quoting=3)
    found = understood(content)
    assert [c.type for c in found.columns] == ["number"] * 4 + ["category"]
    keys = iris()
    keys.insert(0, "freq,geo\\time", [f"A,{'DE' if i % 2 else 'FR'}" for i in range(150)])
    found = understood(keys.to_csv(index=False, sep="\t", quoting=3))
    assert [c.type for c in found.columns][1:] == ["number"] * 4 + ["category"]


def test_43_header_and_rows_of_different_delimiters() -> None:
    rows = [f"{i};{i % 5}.5;x;y;{i % 3};z" for i in range(42)]
    with pytest.raises(
        UnreadableData, match=r"Line 1 names 7 columns by `,`.*lines 2–43 hold 6 values by `;`"
    ):
        understood(table("a,b,c,d,e,f,g", rows))


def test_44_rows_of_one_person() -> None:
    rng = np.random.default_rng(0)
    people = rng.permutation(np.repeat(np.arange(30), 6))
    rows = [f"P{p:03},{rng.normal():.3f},{'ab'[p * 7 % 3 % 2]}" for p in people]
    trained = trained_on(table("person,size,ill", rows), "ill")
    assert [n.column for n in trained.notices if n.code == "group"] == ["person"]


def test_45_sums_and_headings_inside_the_table() -> None:
    content = (
        "name,x,y\nEurope,,\nGermany,10,21\nFrance,30,44\nSubtotal,40,65\nAsia,,\nJapan,50,63\n"
        "China,60,91\nIndia,7,9\nSubtotal,117,163\nTotal,157,228\n"
    )
    found = understood(content)
    asked = {n.code: n for n in found.notices if n.needs_answer}
    assert asked["headings"].lines == (2, 6)
    assert asked["total_rows"].lines == (5, 10, 11)
    assert found.row_count == 5
    kept = corrected(content, answers={"headings": "keep", "totals": "keep"})
    assert kept.row_count == 10


def test_45_sums_without_a_word_for_them() -> None:
    body = "Germany,10,21\nFrance,30,44\nJapan,50,63\nChina,60,91\nIndia,7,9\n"
    content = f"name,x,y\nWorld,157,228\n{body}"
    assert [n.lines for n in understood(content).notices if n.code == "total_rows"] == [(2,)]
