"""What `publish_event` does not take, and how it says so."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation, Error, NotNullViolation, UntranslatableCharacter
from psycopg.types.json import Jsonb

from events import uuid7
from runtime.assembly import Assembly

Connection = psycopg.Connection[tuple[Any, ...]]

RIGHT: dict[str, dict[str, Any]] = {
    "prediction.made": {"model_id": "m-1", "batch": True, "prediction_count": 3},
    "dataset.uploaded": {
        "dataset_id": "d",
        "filename": "a.csv",
        "size_mb": 0.5,
        "row_count": 10,
        "column_count": 2,
    },
    "training.completed": {
        "training_id": "t",
        "model_id": "m",
        "model_name": "Iris",
        "algorithm": "forest",
        "problem_type": "classification",
        "duration_seconds": 1.5,
        "accuracy": 0.97,
        "metrics": {"f1": 0.96},
    },
    "user.signed_up": {"email": "ada@example.com"},
    "user.deleted": {},
}
MADE = RIGHT["prediction.made"]
OPTIONAL = {"batch", "prediction_count", "accuracy", "metrics"}

WRONG: dict[str, tuple[str, str, Any]] = {
    "a number for a text": ("prediction.made", "model_id", 7),
    "a null for a text": ("prediction.made", "model_id", None),
    "a text for a number": ("prediction.made", "prediction_count", "7"),
    "a truth for a number": ("prediction.made", "prediction_count", True),
    "a broken number for a whole one": ("prediction.made", "prediction_count", 1.5),
    "a text for a truth": ("prediction.made", "batch", "yes"),
    "too little": ("prediction.made", "prediction_count", 0),
    "a reference that is none": ("prediction.made", "model_id", "m 1"),
    "a reference with a line's end": ("prediction.made", "model_id", "m\n"),
    "an empty reference": ("prediction.made", "model_id", ""),
    "a long reference": ("prediction.made", "model_id", "x" * 101),
    "a long text": ("dataset.uploaded", "filename", "x" * 501),
    "a negative size": ("dataset.uploaded", "size_mb", -0.1),
    "more than a float holds": ("dataset.uploaded", "size_mb", 10**400),
    "more than anybody reads": ("dataset.uploaded", "row_count", 10**4200),
    "too much": ("training.completed", "accuracy", 1.01),
    "another word": ("training.completed", "problem_type", "magic"),
    "a text among numbers": ("training.completed", "metrics", {"f1": "good"}),
    "a list for an object": ("training.completed", "metrics", [0.96]),
    "no address": ("user.signed_up", "email", "ada@home"),
    "a number for an optional text": ("user.signed_up", "name", 7),
}

ENVELOPES: dict[str, tuple[dict[str, Any], type[Error], str]] = {
    "an unknown type": (
        {"type": "prediction.guessed"},
        CheckViolation,
        'no event is called "prediction',
    ),
    "no type": ({"type": None}, CheckViolation, "no event is called"),
    "no user": ({"user_id": None}, CheckViolation, "user_id is missing"),
    "no source": ({"source": None}, NotNullViolation, "source"),
    "an empty source": ({"source": ""}, CheckViolation, "source must have"),
    "a long source": ({"source": "s" * 201}, CheckViolation, "source must have"),
    "no time at all": ({"occurred_at": "infinity"}, CheckViolation, "occurred_at is no time"),
    "a time before all calendars": (
        {"occurred_at": "0001-01-01 BC"},
        CheckViolation,
        "occurred_at is no time",
    ),
    "a time after all calendars": (
        {"occurred_at": "10000-01-01"},
        CheckViolation,
        "occurred_at is no time",
    ),
    "a list for data": ({"data": Jsonb([MADE])}, CheckViolation, "data must be a JSON object"),
    "a text for data": ({"data": Jsonb("MADE")}, CheckViolation, "data must be a JSON object"),
    "a JSON null for data": ({"data": Jsonb(None)}, CheckViolation, "data must be a JSON object"),
    "a null for data": ({"data": None}, CheckViolation, "data must be a JSON object"),
}


@pytest.fixture(scope="module")
def sql(shared: Assembly) -> Iterator[Connection]:
    url = shared.settings.postgres_url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def assert_refused(sql: Connection, error: type[Error], sentence: str, **given: Any) -> None:
    """Publishing raises, and nothing is stored."""
    named = {"id": uuid7(), "user_id": uuid7(), "type": "prediction.made", "data": Jsonb(MADE)}
    named |= given
    arguments = ", ".join(f"{name} => %({name})s" for name in named)
    with pytest.raises(error, match=sentence):
        sql.execute(f"SELECT publish_event({arguments})".encode(), named)

    stored = "SELECT FROM insights.events WHERE id = %(id)s"
    assert sql.execute(stored.encode(), named).fetchall() == []


@pytest.mark.parametrize(("type_", "field", "value"), WRONG.values(), ids=WRONG.keys())
def test_a_value_that_does_not_fit_is_refused_and_its_field_is_named(
    sql: Connection, type_: str, field: str, value: Any
) -> None:
    data = Jsonb(RIGHT[type_] | {field: value})
    sentence = f'{type_}: the field "{field}" is not of the form'
    assert_refused(sql, CheckViolation, sentence, type=type_, data=data)


@pytest.mark.parametrize(
    ("type_", "field"),
    [(type_, field) for type_ in RIGHT for field in RIGHT[type_] if field not in OPTIONAL],
)
def test_a_required_field_that_is_missing_is_named(sql: Connection, type_: str, field: str) -> None:
    data = Jsonb({name: value for name, value in RIGHT[type_].items() if name != field})
    sentence = f'{type_}: the field "{field}" is missing'
    assert_refused(sql, CheckViolation, sentence, type=type_, data=data)


@pytest.mark.parametrize("type_", RIGHT)
@pytest.mark.parametrize("field", ["modle_id", "id", "user_id", "type"])
def test_an_unknown_field_is_refused_and_named(sql: Connection, type_: str, field: str) -> None:
    data = Jsonb(RIGHT[type_] | {field: "x"})
    sentence = f'{type_}: there is no field "{field}"'
    assert_refused(sql, CheckViolation, sentence, type=type_, data=data)


@pytest.mark.parametrize(("given", "error", "sentence"), ENVELOPES.values(), ids=ENVELOPES.keys())
def test_an_envelope_that_nobody_could_read_is_refused(
    sql: Connection, given: dict[str, Any], error: type[Error], sentence: str
) -> None:
    assert_refused(sql, error, sentence, **given)


def test_text_that_json_allows_but_postgresql_cannot_store_is_refused(sql: Connection) -> None:
    """Here SQL is stricter than pydantic, and a publisher in Python meets the same refusal."""
    data = Jsonb(RIGHT["dataset.uploaded"] | {"filename": "a\0b"})
    assert_refused(sql, UntranslatableCharacter, "Unicode", type="dataset.uploaded", data=data)
