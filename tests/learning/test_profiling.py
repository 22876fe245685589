from io import BytesIO
from pathlib import Path

from learning import Schema, profile


def test_a_profile_describes_every_column(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("age,pay,member,city,nothing\n1,1.5,True,Oslo,\n,2,False,3 Oaks,\n")
    found = profile(file)
    assert (found.row_count, found.column_count) == (2, 5)
    assert found.size_bytes == file.stat().st_size
    assert {c.name: (c.type, c.missing_share) for c in found.columns} == {
        "age": ("constant", 0.5),
        "pay": ("number", 0.0),
        "member": ("category", 0.0),
        "city": ("category", 0.0),
        "nothing": ("empty", 1.0),
    }


def test_a_file_of_column_names_alone_has_no_rows() -> None:
    found = profile(BytesIO(b"a,b\n"))
    assert found.row_count == 0
    assert [notice.code for notice in found.notices] == ["few_rows"]


def test_a_schema_is_the_same_after_a_way_through_json() -> None:
    content = b"day;price;kind\n31.01.2023;1,5 kg;x\n01.02.2023;2,5 kg;y\n01.03.2023;n/k;y\n"
    schema = profile(BytesIO(content)).schema
    assert Schema.from_json(schema.to_json()) == schema
