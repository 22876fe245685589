"""`publish_event` refuses what does not fit the catalogue, and names what is wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.errors import CheckViolation, Error, NotNullViolation, UntranslatableCharacter
from psycopg.types.json import Jsonb

from events import uuid7
from tests.models.conftest import SqlConnection

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
    "a boolean for a number": ("prediction.made", "prediction_count", True),
    "a fraction for a whole number": ("prediction.made", "prediction_count", 1.5),
    "a text for a boolean": ("prediction.made", "batch", "yes"),
    "too little": ("prediction.made", "prediction_count", 0),
    "a reference with a blank": ("prediction.made", "model_id", "m 1"),
    "a reference that ends with a newline": ("prediction.made", "model_id", "m\n"),
    "an empty reference": ("prediction.made", "model_id", ""),
    "a long reference": ("prediction.made", "model_id", "x" * 101),
    "a long text": ("dataset.uploaded", "filename", "x" * 501),
    "a negative size": ("dataset.uploaded", "size_mb", -0.1),
    "more than a float holds": ("dataset.uploaded", "size_mb", 10**400),
    "more digits than Python reads": ("dataset.uploaded", "row_count", 10**4200),
    "too much": ("training.completed", "accuracy", 1.01),
    "a value that is not listed": ("training.completed", "problem_type", "magic"),
    "a text among numbers": ("training.completed", "metrics", {"f1": "good"}),
    "a list for an object": ("training.completed", "metrics", [0.96]),
    "no email address": ("user.signed_up", "email", "ada@home"),
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
    "a time before all time": (
        {"occurred_at": "-infinity"},
        CheckViolation,
        "occurred_at is no time",
    ),
    "a time more than a day ahead": (
        {"occurred_at": datetime.now(UTC) + timedelta(days=2)},
        CheckViolation,
        "more than a day ahead of now",
    ),
    "a time before the year 1": (
        {"occurred_at": "0001-01-01 BC"},
        CheckViolation,
        "occurred_at is no time",
    ),
    "a time after the year 9999": (
        {"occurred_at": "10000-01-01"},
        CheckViolation,
        "occurred_at is no time",
    ),
    "a list for data": ({"data": Jsonb([MADE])}, CheckViolation, "data must be a JSON object"),
    "a text for data": ({"data": Jsonb("MADE")}, CheckViolation, "data must be a JSON object"),
    "a JSON null for data": ({"data": Jsonb(None)}, CheckViolation, "data must be a JSON object"),
    "a null for data": ({"data": None}, CheckViolation, "data must be a JSON object"),
}


def assert_refused(sql: SqlConnection, error: type[Error], sentence: str, **given: Any) -> None:
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
    sql: SqlConnection, type_: str, field: str, value: Any
) -> None:
    data = Jsonb(RIGHT[type_] | {field: value})
    sentence = f'{type_}: the field "{field}" is not of the form'
    assert_refused(sql, CheckViolation, sentence, type=type_, data=data)


@pytest.mark.parametrize(
    ("type_", "field"),
    [(type_, field) for type_ in RIGHT for field in RIGHT[type_] if field not in OPTIONAL],
)
def test_a_required_field_that_is_missing_is_named(
    sql: SqlConnection, type_: str, field: str
) -> None:
    data = Jsonb({name: value for name, value in RIGHT[type_].items() if name != field})
    sentence = f'{type_}: the field "{field}" is missing'
    assert_refused(sql, CheckViolation, sentence, type=type_, data=data)


@pytest.mark.parametrize("type_", RIGHT)
@pytest.mark.parametrize("field", ["modle_id", "id", "user_id", "type"])
def test_an_unknown_field_is_refused_and_named(sql: SqlConnection, type_: str, field: str) -> None:
    data = Jsonb(RIGHT[type_] | {field: "x"})
    sentence = f'{type_}: there is no field "{field}"'
    assert_refused(sql, CheckViolation, sentence, type=type_, data=data)


@pytest.mark.parametrize(("given", "error", "sentence"), ENVELOPES.values(), ids=ENVELOPES.keys())
def test_an_envelope_that_could_not_be_read_back_is_refused(
    sql: SqlConnection, given: dict[str, Any], error: type[Error], sentence: str
) -> None:
    assert_refused(sql, error, sentence, **given)


def test_text_that_json_allows_but_postgresql_cannot_store_is_refused(sql: SqlConnection) -> None:
    """Here SQL is stricter than pydantic, and a publisher in Python meets the same refusal."""
    data = Jsonb(RIGHT["dataset.uploaded"] | {"filename": "a\0b"})
    assert_refused(sql, UntranslatableCharacter, "Unicode", type="dataset.uploaded", data=data)


@pytest.mark.parametrize(
    ("occurred_at", "sentence"),
    [
        ("'infinity'", "prediction.made: occurred_at is no time"),
        ("'-infinity'", "prediction.made: occurred_at is no time"),
        ("'0044-03-15 BC'", "prediction.made: occurred_at is no time"),
        ("now() + interval '1 day 1 second'", "prediction.made: .* more than a day ahead of now"),
        ("now() + interval '1 year'", "prediction.made: .* more than a day ahead of now"),
    ],
)
def test_a_plain_insert_of_such_a_time_is_refused_with_all_its_rows(
    sql: SqlConnection, occurred_at: str, sentence: str
) -> None:
    right, wrong = uuid7(), uuid7()
    with pytest.raises(CheckViolation, match=sentence):
        sql.execute(
            b"INSERT INTO insights.events (id, type, source, user_id, data, occurred_at) VALUES"
            b" (%(right)s, 'prediction.made', 'sql', %(right)s, '{}', now()),"
            b" (%(wrong)s, 'prediction.made', 'sql', %(wrong)s, '{}', "
            + f"{occurred_at})".encode(),
            {"right": right, "wrong": wrong},
        )

    assert sql.execute("SELECT FROM insights.events WHERE id = %s", [right]).fetchall() == []


def test_a_clock_that_is_less_than_a_day_ahead_is_accepted(sql: SqlConnection) -> None:
    published = sql.execute(
        "SELECT publish_event('prediction.made', %s, %s, NULL, now() + interval '23 hours')",
        [Jsonb(MADE), uuid7()],
    ).fetchall()

    stored = "SELECT FROM insights.events WHERE id = %s"
    assert len(sql.execute(stored.encode(), published[0]).fetchall()) == 1
