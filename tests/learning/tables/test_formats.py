"""Archives, Excel, Parquet and odd delimiters: rows 24 to 28 of the list."""

import gzip
import zipfile
from io import BytesIO

import pandas as pd
import pytest

from learning import UnreadableData
from tests.learning.tables.clean import (
    DAYS,
    NUMBERS,
    TARGET,
    assert_as_clean,
    iris,
    said,
    text,
    understood,
)

FIRST = NUMBERS[0]


def zipped(**files: bytes) -> bytes:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()


def test_24_archives() -> None:
    content = text(iris()).encode()
    assert assert_as_clean(gzip.compress(content)).format == "csv (gzip)"
    assert (
        assert_as_clean(zipped(table=content, **{"__MACOSX/._table": b"x"})).format == "csv (zip)"
    )
    with pytest.raises(UnreadableData, match=r"first\.csv, second\.csv"):
        understood(zipped(**{"first.csv": content, "second.csv": content}))
    with pytest.raises(UnreadableData, match="damaged"):
        understood(gzip.compress(content)[:-20])


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(table=data)])
def test_24_archives_that_unpack_to_too_much(pack: object) -> None:
    content = b"a,b\n" + b"1,2\n" * 100_000
    with pytest.raises(UnreadableData, match="MB are possible"):
        understood(pack(content), max_bytes=100_000)  # type: ignore[operator]


def workbook(*sheets: tuple[str, pd.DataFrame, int], title: str | None = None) -> bytes:
    file = BytesIO()
    with pd.ExcelWriter(file, engine="xlsxwriter") as writer:
        for name, frame, row in sheets:
            frame.to_excel(writer, sheet_name=name, index=False, startrow=row)
            if title:
                writer.sheets[name].merge_range(0, 0, 0, 4, title)
    return file.getvalue()


def test_25_excel() -> None:
    other = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    content = workbook(("flowers", iris(), 2), ("other", other, 2), title="All flowers")
    found = assert_as_clean(content)
    assert "'flowers'" in said(found, "sheet")
    assert "other" in said(found, "sheet")
    assert understood(content, sheet="other").row_count == 2
    with pytest.raises(UnreadableData, match="flowers, other"):
        understood(content, sheet="third")


def test_25_dates_in_excel() -> None:
    frame = iris()
    frame.insert(0, "day", DAYS)
    found = understood(workbook(("one", frame, 0)))
    assert (found.columns[0].type, found.columns[0].low) == ("date", DAYS[0].timestamp())


def test_25_a_workbook_that_declares_too_much() -> None:
    content = zipped(**{"xl/workbook.xml": b"<x/>", "xl/worksheets/sheet1.xml": b" " * 262_000_000})
    assert len(content) < 1_000_000
    with pytest.raises(UnreadableData, match="declares 262 MB"):
        understood(content)


def test_26_parquet() -> None:
    frame = iris()
    frame[TARGET] = frame[TARGET].astype("category")
    file = BytesIO()
    frame.to_parquet(file)
    assert_as_clean(file.getvalue())
    frame["at"] = pd.date_range("2023-01-01", periods=150, tz="Europe/Prague")
    frame["many"] = [[1, 2]] * 150
    file = BytesIO()
    frame.to_parquet(file)
    with pytest.raises(UnreadableData, match="many are nested"):
        understood(file.getvalue())
    file = BytesIO()
    frame.drop(columns="many").to_parquet(file)
    assert understood(file.getvalue()).columns[-1].type == "date"


def test_27_delimiters_that_the_header_hides() -> None:
    frame = iris()
    content = text(frame).replace(FIRST, '"length;of;sepals"')
    assert understood(content).columns[0].name == "length;of;sepals"
    spaced = frame.rename(columns=lambda name: name.replace(" ", "_")).to_string(index=False)
    found = understood(spaced)
    assert [c.type for c in found.columns] == ["number"] * 4 + ["category"]
    assert found.row_count == 150


def test_28_a_comma_at_the_end_of_each_line() -> None:
    lines = text(iris()).splitlines()
    assert_as_clean("\n".join(line + "," for line in lines))
    assert_as_clean("\n".join([lines[0], *(line + "," for line in lines[1:])]))
