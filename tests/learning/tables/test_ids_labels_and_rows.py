"""Ids, labels, names and ragged rows: rows 8 to 17 of the list."""

from collections.abc import Callable

import pandas as pd
import pytest

from learning import UnreadableData, UnusableTarget
from tests.learning.tables.clean import (
    NUMBERS,
    TARGET,
    assert_as_clean,
    codes,
    corrected,
    iris,
    said,
    table,
    text,
    trained_on,
    understood,
)

FIRST = NUMBERS[0]


@pytest.mark.parametrize("name", ["id", "Patient-ID", "", "nr", "n"])
def test_08_ids_in_a_file_sorted_by_class(name: str) -> None:
    frame = iris().sort_values(TARGET).reset_index(drop=True)
    frame.insert(0, name, range(1, 151))
    found = assert_as_clean(text(frame), score=0.1)
    assert found.columns[0].type == "id"
    assert "id" in codes(found)


@pytest.mark.parametrize(
    "rename", [str, lambda k: {"setosa": "A", "versicolor": "B", "virginica": "C"}[k]]
)
def test_09_a_copy_of_the_target(rename: Callable[[str], str]) -> None:
    frame = iris()
    frame["copy"] = frame[TARGET].map(rename)
    notices = trained_on(text(frame)).notices
    assert [n.column for n in notices if n.code == "gives_target_away"] == ["copy"]


def test_10_rows_that_are_doubled() -> None:
    frame = iris().drop_duplicates()
    found = understood(text(pd.concat([frame] * 3)))
    assert f"{2 * len(frame):,} rows" in said(found, "duplicates")


def test_11_zeros_before_a_target() -> None:
    rows = [f"{i % 7},{['01234', '1234'][i % 2]}" for i in range(60)]
    content = table("size,code", rows)
    assert trained_on(content, "code").classes == ("01234", "1234")


def test_12_none_and_na_are_labels() -> None:
    rows = [
        f"{i},{['None', 'mild', 'bad'][i % 3]},{['NA', 'DE', 'FR', ''][i % 4]}" for i in range(60)
    ]
    content = table("size,class,country", rows)
    found = understood(content)
    assert set(found.columns[2].categories) == {"NA", "DE", "FR"}
    assert found.columns[2].missing == 15
    assert trained_on(content, "class").classes == ("None", "bad", "mild")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([i * i % 18 for i in range(90)], "regression"),
        ([1990 + i % 30 for i in range(90)], "regression"),
        ([f'"{i % 40 + 1},{i * 37 % 1000:03}"' for i in range(90)], "regression"),
        ([1 + i % 5 for i in range(90)], "classification"),
        ([i % 10 for i in range(90)], "classification"),
    ],
)
def test_13_amounts_and_classes(values: list[object], kind: str) -> None:
    content = table("a,b,goal", [f"{i % 13}.5,{i % 4},{v}" for i, v in enumerate(values)])
    found = understood(content)
    question = [n.id for n in found.notices if n.needs_answer and n.column == "goal"]
    if question:
        found = corrected(content, answers={question[0]: "decimal point"})
    trained = trained_on(content, "goal", found=found)
    assert trained.problem_type == kind
    assert kind in " ".join(n.message for n in trained.notices if n.code == "problem_type")


def test_14_labels_in_several_spellings() -> None:
    labels = ["yes", "Yes ", "YES", "no", "No", "?"]
    content = table("a,goal", [f"{i % 9},{labels[i % 6]}" for i in range(90)])
    found = understood(content)
    assert {"spelling", "label_like_missing"} <= codes(found)
    assert trained_on(content, "goal").classes == ("?", "no", "yes")


def test_15_numbers_that_are_longer_than_exact() -> None:
    rows = [f"{2**53 + i // 2 if i else ''},{i % 3}" for i in range(60)]
    found = understood(table("account,kind", rows))
    assert found.columns[0].type in {"category", "id"}
    assert str(2**53 + 1) in found.columns[0].examples


def test_16_doubled_and_blank_names() -> None:
    content = table("a,b,a,", [f"{i % 5},{i % 3},{i % 7},{i % 4}" for i in range(40)])
    found = understood(content)
    assert [c.name for c in found.columns] == ["a (column 1)", "b", "a (column 3)", "column 4"]
    assert {"header_doubled", "header_blank"} <= codes(found)
    with pytest.raises(UnusableTarget, match="stands above 2 columns"):
        trained_on(content, "a")


def test_17_rows_with_too_few_and_too_many_cells() -> None:
    lines = text(iris()).splitlines()
    lines[10] = lines[10].rsplit(",", 1)[0]
    lines[20] += ",and more"
    found = understood("\n".join(lines))
    assert found.row_count == 148
    assert [n.lines for n in found.notices if n.code == "rows_short"] == [(11,)]
    assert [n.lines for n in found.notices if n.code == "rows_long"] == [(21,)]


def test_17_many_such_rows_are_refused() -> None:
    lines = text(iris()).splitlines()
    lines[1::2] = [line + ",1" for line in lines[1::2]]
    lines[2::4] = [line + ",1,2" for line in lines[2::4]]
    with pytest.raises(UnreadableData, match=r"[Ll]ine \d+"):
        understood("\n".join(lines))


def test_17_rows_that_end_early_because_their_last_cells_are_blank() -> None:
    rows = [f"{i}.5,a,{i % 7}" + (f",{i % 5},x" if i % 3 == 0 else "") for i in range(60)]
    found = understood(table("size,kind,rooms,floor,note of it", rows))
    assert (found.row_count, found.column_count) == (60, 5)
    assert found.columns[3].missing == 40
    assert "rows_padded" in codes(found)
