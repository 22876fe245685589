from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning import LearningError, UnreadableData, profile
from tests.learning.factories import train


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty"),
        (b"\n \n", "The file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is an image"),
        (b"a,b\n\0\1\2\n", "not a text file"),
        (b"a,b\n1,2\n1,2,3\n", "Line 3 has 3 values, but the file has 2 columns"),
        (b"a,b\n1,2,3\n4,5,6\n", "Line 1 names 2 columns .*, but lines 2–3 hold 3 values"),
        (b"a,b\n0,1,2\n1,5,6\n", "Line 1 names 2 columns .*, but lines 2–3 hold 3 values"),
        (b'a,b\n1,"2\n', "A quote is opened and never closed"),
        (b",".join(b"c%d" % n for n in range(2001)), "has 2,001 columns; up to 2,000"),
    ],
)
def test_an_unreadable_file_is_refused_with_advice(content: bytes, message: str) -> None:
    with pytest.raises(UnreadableData, match=message):
        profile(BytesIO(content))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_detected(mark: str) -> None:
    content = f"\ufeffa{mark}b\r\n1{mark} x\r\n".encode()
    assert [column.name for column in profile(BytesIO(content)).columns] == ["a", "b"]


def test_a_missing_file_is_not_a_learning_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        profile(tmp_path / "gone.csv")


def test_a_line_with_too_many_values_is_named_when_training() -> None:
    with pytest.raises(UnreadableData, match="Line 3"):
        train(BytesIO(b"a,goal\n1,2\n1,2,3\n"), "goal")


@given(st.binary() | st.text(alphabet='a1,;"\n\r\t .é').map(str.encode))
def test_any_bytes_give_a_table_or_a_learning_error(content: bytes) -> None:
    try:
        found = profile(BytesIO(content))
    except LearningError:
        return
    assert found.column_count == len(found.columns) > 0
