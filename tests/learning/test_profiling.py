from io import BytesIO
from pathlib import Path

from learning import profile


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
