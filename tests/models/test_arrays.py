"""Array literals: PostgreSQL reads back what was written."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from events import uuid7
from models import arrays

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def read_back(connection: Connection, literal: str, type_: str) -> Any:
    return connection.scalar(text(f"SELECT CAST(:literal AS {type_}[])"), {"literal": literal})


@given(st.lists(TEXTS | st.sampled_from(['"', "\\", "{}", ",", "NULL", "", " a "]) | st.none()))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_texts_come_back_as_they_were(connection: Connection, values: list[str | None]) -> None:
    assert read_back(connection, arrays.texts(values), "text") == values


def test_ids_come_back_as_they_were_and_missing_ones_as_null(connection: Connection) -> None:
    ids = [uuid7(), None, uuid7()]

    assert read_back(connection, arrays.uuids(ids), "uuid") == ids
    assert read_back(connection, arrays.uuids([]), "uuid") == []


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([-1, 0, 2**31 - 1], "integer"),
        ([True, False], "boolean"),
        ([datetime(2026, 1, 31, 12, 0, 0, 250, tzinfo=UTC)], "timestamptz"),
    ],
)
def test_plain_values_come_back_as_they_were(
    connection: Connection, values: list[Any], type_: str
) -> None:
    assert read_back(connection, arrays.plain(values), type_) == values
