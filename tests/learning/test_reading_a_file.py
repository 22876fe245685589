from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning import LearningError, UnreadableData, profile


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"\n \n", "The file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a text file"),
        ("a,b\n1,2\n".encode("utf-16"), "not a text file"),
        ("name,age\nJosé,3\n".encode("latin-1"), "encoding UTF-8"),
        (b"a,b\n1,2\n1,2,3\n", "Line 3 has 3 values, but the file has 2 columns"),
        (b"a,b\n1,2,3\n4,5,6\n", "Line 2 has 3 values, but the file has 2 columns"),
        (b"a,b\n0,1,2\n1,5,6\n", "Line 2 has 3 values, but the file has 2 columns"),
        (b'a,b\n1,"2\n', "a quote is opened and never closed"),
        (b",".join(b"c%d" % n for n in range(2001)), "has 2,001 columns; up to 2,000"),
    ],
)
def test_a_file_that_is_no_table_says_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableData, match=message):
        profile(BytesIO(content))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_columns_may_be_separated_by_any_usual_mark(mark: str) -> None:
    content = f"\ufeffa{mark}b\r\n1{mark} x\r\n".encode()
    assert [column.name for column in profile(BytesIO(content)).columns] == ["a", "b"]


def test_a_profile_describes_every_column(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("age,pay,member,city,nothing\n1,1.5,True,Oslo,\n,2,,3,\n")
    found = profile(file)
    assert (found.row_count, found.column_count) == (2, 5)
    assert found.size_bytes == file.stat().st_size
    assert {c.name: (c.dtype, c.missing_share) for c in found.columns} == {
        "age": ("integer", 0.5),
        "pay": ("decimal", 0.0),
        "member": ("boolean", 0.5),
        "city": ("text", 0.0),
        "nothing": ("empty", 1.0),
    }


def test_a_file_of_column_names_alone_has_no_rows() -> None:
    assert profile(BytesIO(b"a,b\n")).row_count == 0


def test_a_file_that_is_gone_is_no_fault_of_the_data(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        profile(tmp_path / "gone.csv")


@given(st.binary() | st.text(alphabet='a1,;"\n\r\t .é').map(str.encode))
def test_any_bytes_are_a_table_or_a_clear_error(content: bytes) -> None:
    try:
        found = profile(BytesIO(content))
    except LearningError:
        return
    assert found.column_count == len(found.columns) > 0
