"""Totals, headers, other kinds of files, encodings: rows 18 to 23 of the list."""

import json

import pytest

from learning import UnreadableData
from tests.learning.tables.clean import (
    NUMBERS,
    TARGET,
    assert_as_clean,
    codes,
    corrected,
    iris,
    text,
    understood,
)

FIRST = NUMBERS[0]


@pytest.mark.parametrize("label", ["Total", "Celkem", "GESAMT", "Sum:", ""])
def test_18_a_total_row(label: str) -> None:
    frame = iris()
    sums = ",".join(f"{frame[name].sum():.1f}" for name in NUMBERS)
    found = assert_as_clean(text(frame) + f"{sums},{label}\n")
    [notice] = [n for n in found.notices if n.code == "total_rows"]
    assert notice.lines == (152,)
    assert notice.choices == ("leave out", "keep")
    kept = corrected(text(frame) + f"{sums},{label}\n", answers={"totals": "keep"})
    assert kept.row_count == 151


def test_19_no_header() -> None:
    content = text(iris()).split("\n", 1)[1]
    found = understood(content)
    assert [c.name for c in found.columns] == [f"column {i}" for i in range(1, 6)]
    assert "header_missing" in codes(found)
    assert found.row_count == 150


@pytest.mark.parametrize(
    "above",
    [
        "Iris data\n",
        "Report, 2023\nby R. A. Fisher, on request\n\n",
        "Iris;;;;\n;;;;\n",
        '"Iris, all"\n',
    ],
)
def test_20_lines_above_the_header(above: str) -> None:
    found = assert_as_clean(above + text(iris(), ";" if ";" in above else ","))
    assert "lines_above" in codes(found)


def test_20_a_line_that_names_the_delimiter() -> None:
    assert_as_clean("sep=;\n" + text(iris(), ";", ","))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>\n<html><table><tr><td>1</td></tr></table></html>", "web page"),
        (b"\n <html lang='en'><body>a,b\n1,2</body></html>", "web page"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image"),
        (b"MZ\x90\0\3\0\0\0", "program"),
        (b"\x7fELF\2\1\1\0", "program"),
        (b"<?xml version='1.0'?><rows><row/></rows>", "XML"),
        (b"{\\rtf1\\ansi text}", "text document"),
        (b"SQLite format 3\0", "database"),
    ],
)
def test_21_what_is_no_table(content: bytes, what: str) -> None:
    with pytest.raises(UnreadableData, match=what):
        understood(content)


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("as_text", [True, False])
def test_22_json(lines: bool, as_text: bool) -> None:
    frame = iris().astype(dict.fromkeys(NUMBERS, str)) if as_text else iris()
    content = frame.to_json(orient="records", lines=lines)
    assert_as_clean(content)
    assert_as_clean("\n" + json.dumps({"data": json.loads(frame.to_json(orient="records"))}))


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1250", ["kosatec žlutý", "růže šípková", "třešeň"]),
        ("iso8859-2", ["žluťoučký kůň", "šípek", "řeřicha"]),
        ("cp1252", ["Schwertlilie größer", "für Gärten", "weiß"]),
        ("cp1252", ["crème brûlée", "forêt", "à côté"]),
        ("cp1251", ["ирис щетинистый", "роза", "ландыш"]),
        ("utf-16", ["žlutá", "größe", "ирис"]),
        ("utf-16-le", ["iris a", "iris b", "größe"]),
        ("utf-16-be", ["iris a", "iris b", "größe"]),
        ("cp932", ["アイリス", "桜の花", "菊"]),
        ("gb18030", ["山鸢尾", "变色鸢尾", "维吉尼亚鸢尾"]),
        ("utf-8-sig", ["žlutá", "größe", "ирис"]),
    ],
)
def test_23_encodings(encoding: str, names: list[str]) -> None:
    frame = iris()
    frame[TARGET] = frame[TARGET].map(
        dict(zip(["setosa", "versicolor", "virginica"], names, strict=True))
    )
    content = text(frame).encode(encoding)
    # The classes have another order, so that the split is another one.
    found = assert_as_clean(content, score=0.1)
    assert set(found.columns[-1].categories) == set(names)
    assert ("encoding" in codes(found)) == (encoding != "utf-8-sig")


def test_23_two_encodings_in_one_file() -> None:
    frame = iris()
    frame[TARGET] = frame[TARGET].map({"setosa": "größe", "versicolor": "weiß", "virginica": "v"})
    lines = text(frame).splitlines()
    content = b"\n".join(
        line.encode("utf-8" if i % 3 else "cp1252") for i, line in enumerate(lines)
    )
    found = assert_as_clean(content)
    assert "encoding_mixed" in codes(found)
    assert set(found.columns[-1].categories) == {"größe", "weiß", "v"}
