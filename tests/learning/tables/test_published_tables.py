"""Kinds of rows and tables in files that people published: rows 46 to 59 of the list."""

import numpy as np
import pandas as pd
import pytest

from learning import UnknownTarget, UnreadableData
from tests.learning.tables.clean import (
    NUMBERS,
    TARGET,
    assert_as_clean,
    codes,
    column_of,
    iris,
    said,
    table,
    text,
    trained_on,
    understood,
)


@pytest.mark.parametrize("value", ["-999", "-99", "9999"])
def test_46_a_number_that_stands_for_no_value(value: str) -> None:
    found = column_of([value, "3", "4.5", "6", "8", "1", "2"] * 4)
    [notice] = [n for n in found.notices if n.code == "sentinel"]
    assert (found.columns[0].missing, found.columns[0].high) == (4, 8)
    assert notice.needs_answer


def test_46_a_number_beside_blanks() -> None:
    rows = [f"{i % 9 + 1},{i % 5 + 2}.5,{i % 7 + 1}" if i % 6 else "5,," for i in range(60)]
    assert "5 stands in" in said(understood(table("a,b,c", rows)), "stands_for_none")


def test_47_blanks_around_and_inside_names() -> None:
    content = (
        text(iris()).replace("sepal length", " sepal  length ").replace("species", " species ")
    )
    assert "header_trimmed" in codes(assert_as_clean(content))
    for target in ("species", " species", "Species "):
        assert trained_on(content, target).classes == ("setosa", "versicolor", "virginica")


def test_48_one_quantity_over_many_columns() -> None:
    years = "country," + ",".join(map(str, range(2015, 2024)))
    rows = [f"c{i}," + ",".join(str(i * 31 % 17 + y) for y in range(9)) for i in range(30)]
    assert "9 columns" in said(understood(table(years, rows)), "one_quantity")
    wells = ",".join(f"A{i}" for i in range(1, 13))
    rows = [",".join(f"{(i * 7 + j) % 19}.5" for j in range(12)) for i in range(20)]
    assert "matrix" in said(understood(table(wells, rows)), "one_quantity")


def test_49_footnotes_below_the_table() -> None:
    notes = (
        '\n"Source: Fisher, R. A., 1936"\n* in centimetres\n"1) measured twice, then averaged"\n'
    )
    found = assert_as_clean(text(iris()) + notes)
    [notice] = [n for n in found.notices if n.code == "footnotes"]
    assert notice.lines == (153, 154, 155)
    padded = text(iris()) + "Source: Fisher,,,,\nin centimetres,,,,\n"
    assert "footnotes" in codes(assert_as_clean(padded))


def test_50_columns_of_notes() -> None:
    frame = iris()
    frame["footnotes"] = ["1,26" if i % 3 == 0 else "3" if i % 3 == 1 else "" for i in range(150)]
    found = assert_as_clean(text(frame))
    assert found.columns[-1].ignore
    assert "notes" in codes(found)


@pytest.mark.parametrize("unit", ["m²", "g", "mg", "km/h", "°C", "mg/l"])
def test_51_units(unit: str) -> None:
    frame = iris()
    frame[NUMBERS[0]] = frame[NUMBERS[0]].map(lambda n: f"{n} {unit}")
    found = assert_as_clean(text(frame))
    assert found.columns[0].unit == unit


def test_52_line_ends_of_cr_alone() -> None:
    assert_as_clean(text(iris()).replace("\n", "\r"))
    frame = iris().assign(**{TARGET: iris()[TARGET] + ", a flower"})
    found = understood(text(frame, ";").replace("\n", "\r"))
    assert (found.row_count, found.schema.source.delimiter) == (150, ";")


def test_53_blank_means_no() -> None:
    frame = iris()
    for option in range(1, 6):
        frame[f"option {option}"] = [
            str(option) if i % (option + 1) == 0 else "" for i in range(150)
        ]
    found = understood(text(frame))
    assert [c.blank_is_no for c in found.columns[5:]] == [True] * 5
    assert len([n for n in found.notices if n.code == "blank_is_no"]) == 5


@pytest.mark.parametrize(
    "values",
    [
        ["1,360 €", "950 €", "2,100 €", "1.130 €", "4.200 €"],
        ["12,50", "13,75", "14.25", "15.10", "9,5"],
        ["1,234.50", "2,345.10", "1.234,50", "2.345,10", "5"],
    ],
)
def test_54_two_notations_in_one_column(values: list[str]) -> None:
    found = column_of([value for value in values for _ in range(5)])
    [notice] = [n for n in found.notices if n.code == "two_notations"]
    assert notice.needs_answer
    assert notice.lines[1] in {12, 17}
    assert f"line {notice.lines[1]}" in notice.message
    assert not found.columns[0].is_feature


def test_55_several_tables() -> None:
    content = "Body\nname,w,h\na,1,2\nb,2,3\nc,5,6\n\nFoods\nfood,kcal\nx,1\ny,2\nz,3\n"
    with pytest.raises(
        UnreadableData, match=r"Body \(lines 2–5\), Foods \(lines 8–11\).*Choose one"
    ):
        understood(content)
    assert [c.name for c in understood(content, table="Foods").columns] == ["food", "kcal"]
    assert understood(content, table="Body").row_count == 3


def test_56_continuation_rows() -> None:
    frame = iris().sort_values(TARGET)[[TARGET, *NUMBERS]]
    frame.loc[frame[TARGET].duplicated(), TARGET] = ""
    found = understood(text(frame))
    assert "filled_down" in codes(found)
    assert found.columns[0].missing == 0
    assert trained_on(text(frame)).metrics["f1"] > 0.85


def test_57_a_counter_that_only_rises() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"warmth": rng.normal(10, 3, 120).round(1)})
    frame["meter"] = (1000 + np.cumsum(rng.uniform(0.5, 3, 120))).round(1)
    assert "'meter' only rises" in said(understood(text(frame)), "counter")
    notices = trained_on(text(frame), "meter").notices
    assert "differences" in " ".join(n.message for n in notices if n.code == "counter")


def test_58_a_quoted_decimal_comma_in_a_comma_file() -> None:
    frame = iris()
    for name in NUMBERS:
        frame[name] = frame[name].map(lambda n: f"{n}".replace(".", ","))
    assert_as_clean(text(frame))


def test_58_a_sign_apart() -> None:
    found = column_of(["- 1", "2", "- 3,5", "+ 4"] * 8)
    assert (found.columns[0].low, found.columns[0].high) == (-3.5, 4)


def test_58_prose_and_rules_above_and_below() -> None:
    lines = text(iris()).splitlines()
    content = "\n".join(["All flowers of 1936", "_" * 40, *lines, "-" * 40, "150 rows selected."])
    assert_as_clean(content)
    bars = [" | ".join(line.split(",")) for line in lines]
    assert_as_clean(
        "\n".join(f"| {line} |" for line in [bars[0], "---|---|---|---|---", *bars[1:]])
    )


def test_59_rows_that_are_the_same_are_kept() -> None:
    rows = [f"2023-01-{i % 9 + 1:02},{i % 2 + 1},single" for i in range(60)]
    found = understood(table("day,guests,room", rows))
    assert found.row_count == 60
    assert "kept" in said(found, "duplicates")


def test_a_target_that_is_not_found_gets_the_nearest_names() -> None:
    with pytest.raises(UnknownTarget, match="Did you mean 'species'"):
        trained_on(text(iris()), "spezies")
