"""SQL and Python accept the same events.

Python accepts a little more: it reads the text "5" as a number where a number is wanted. So the
law has two halves. What pydantic accepts in strict mode, `publish_event` accepts; and what
`publish_event` accepts, a handler can read.
"""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from psycopg.errors import CheckViolation
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from events import Catalogue, Event, load_catalogue
from events.event import ENVELOPE
from tests.models.conftest import SqlConnection

CATALOGUE: Catalogue = load_catalogue()
USER = UUID("00000000-0000-4000-8000-00000000000a")
LETTERS = st.characters(codec="ascii", exclude_characters="\0") | st.sampled_from("éß漢🙂")
JSON: list[Any] = [
    None, True, False, -1, 0, 1, 2, 80, 100, 101, 10**30, -0.5, 0.0, 0.5, 1.0, 1.5, 100.5, 1e300,
    "", "5", "0.5", "true", "m-1", "m 1", "m\n", "x" * 100, "x" * 101, "x" * 500, "x" * 501,
    "ada@example.com", "Ada@Example.com", "ada@home", "a b@example.com", "classification",
    "regression", "datasets", "pro", "2025-11", "2025-1", [], ["m-1"], {}, {"f1": 0.5},
    {"f1": "good"}, {"f1": None}, {"depth": [1, {"deep": None}]},
]  # fmt: skip
ANYTHING = (
    st.sampled_from(JSON)
    | st.text(LETTERS, max_size=8)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)


def fits(field: FieldInfo, value: Any) -> bool:
    """Whether pydantic accepts a value for a field in strict mode."""
    try:
        TypeAdapter(field.rebuild_annotation()).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def fitting(class_: type[Event]) -> dict[str, st.SearchStrategy[Any]]:
    """For each field that a type adds, values that it accepts."""
    fields = {k: f for k, f in class_.model_fields.items() if k not in ENVELOPE}
    return {k: st.sampled_from([v for v in JSON if fits(f, v)]) for k, f in fields.items()}


FITTING = {name: fitting(CATALOGUE[name]) for name in CATALOGUE}


@st.composite
def publications(draw: st.DrawFn) -> tuple[str, dict[str, Any], UUID | None]:
    """A type, its data and its user: right in most places, wrong in some."""
    type_ = draw(st.sampled_from(sorted(CATALOGUE)))
    data = draw(st.fixed_dictionaries(FITTING[type_]))
    for name in draw(st.sets(st.sampled_from([*sorted(data), "extra"]), max_size=2)):
        if draw(st.booleans()):
            data[name] = draw(ANYTHING)
        else:
            data.pop(name, None)
    return type_, data, draw(st.sampled_from([USER, USER, USER, None]))


def python_accepts(type_: str, data: str, user: UUID | None, *, strict: bool) -> bool:
    whole = json.dumps(json.loads(data) | {"user_id": user and str(user)})
    try:
        CATALOGUE[type_].model_validate_json(whole, strict=strict)
    except ValidationError:
        return False
    return True


def stored_by_sql(
    sql: SqlConnection, type_: str, data: dict[str, Any], user: UUID | None
) -> str | None:
    """The JSON of the data as they are stored; None if they are refused."""
    try:
        with sql.transaction(force_rollback=True):
            given = [type_, json.dumps(data), user]
            published = sql.execute("SELECT publish_event(%s, %s, %s)", given).fetchone()
            stored = "SELECT data::text FROM insights.events WHERE id = %s"
            row = sql.execute(stored, published).fetchone()
            return None if row is None else str(row[0])
    except CheckViolation:
        return None


@given(publications())
@settings(
    max_examples=300,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_sql_accepts_what_python_accepts_and_nothing_that_it_cannot_read(
    sql: SqlConnection, publication: tuple[str, dict[str, Any], UUID | None]
) -> None:
    stored = stored_by_sql(sql, *publication)
    event("accepted" if stored else "refused")

    type_, data, user = publication
    if python_accepts(type_, json.dumps(data), user, strict=True):
        assert stored
    if stored:
        assert python_accepts(type_, stored, user, strict=False)


@pytest.mark.parametrize("type_", sorted(CATALOGUE))
def test_every_type_can_be_published_in_sql(sql: SqlConnection, type_: str) -> None:
    data = {
        name: next(v for v in JSON if v is not None and fits(field, v))
        for name, field in CATALOGUE[type_].model_fields.items()
        if name not in ENVELOPE
    }

    assert stored_by_sql(sql, type_, data, USER)


@pytest.mark.parametrize(
    ("field", "value"), [("row_count", "5"), ("row_count", True), ("size_mb", "0.5")]
)
def test_python_alone_reads_a_number_from_something_else(
    sql: SqlConnection, field: str, value: Any
) -> None:
    """The known difference: such data are refused in SQL before they are stored."""
    data = {
        "dataset_id": "d", "filename": "a.csv", "size_mb": 1, "row_count": 1, "column_count": 1,
    }  # fmt: skip
    data[field] = value

    assert python_accepts("dataset.uploaded", json.dumps(data), USER, strict=False)
    assert not python_accepts("dataset.uploaded", json.dumps(data), USER, strict=True)
    assert not stored_by_sql(sql, "dataset.uploaded", data, USER)
