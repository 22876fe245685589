"""What a person corrects of a schema and answers to its questions, checked word by word."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from learning.columns.context import ColumnCorrection
from learning.errors import BadCorrection, listed, shortened
from learning.schema.column import COLUMN_TYPES, Column
from learning.schema.notice import Notice
from learning.schema.schema import Schema

KEYS = ("columns", "group", "time", "header_line", "leave_out_lines", "answers")
COLUMN_KEYS = tuple(each.name for each in fields(ColumnCorrection))
MAX_LINES = 10_000  # that a person leaves out


@dataclass(frozen=True, slots=True)
class Corrections:
    """All that was corrected so far; `profile` reads the file anew by it."""

    columns: Mapping[str, ColumnCorrection] = field(default_factory=dict)
    group: str | None = None
    time: str | None = None
    header_line: int | None = None
    leave_out_lines: tuple[int, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)

    def and_then(self, later: "Corrections") -> "Corrections":
        """Return both, where the later one wins."""
        columns = dict(self.columns)
        for name, correction in later.columns.items():
            before = columns.get(name, ColumnCorrection())
            said = {k: getattr(correction, k) for k in COLUMN_KEYS}
            columns[name] = replace(before, **{k: v for k, v in said.items() if v is not None})
        return Corrections(
            columns,
            later.group if later.group is not None else self.group,
            later.time if later.time is not None else self.time,
            later.header_line if later.header_line is not None else self.header_line,
            later.leave_out_lines or self.leave_out_lines,
            {**self.answers, **later.answers},
        )

    def to_json(self) -> dict[str, Any]:
        """Return the corrections as `read_corrections` takes them."""
        columns = {
            name: {k: v for k in COLUMN_KEYS if (v := getattr(each, k)) is not None}
            for name, each in self.columns.items()
        }
        every = {
            "columns": columns,
            "group": self.group,
            "time": self.time,
            "header_line": self.header_line,
            "leave_out_lines": list(self.leave_out_lines),
            "answers": dict(self.answers),
        }
        return {key: value for key, value in every.items() if value not in (None, {}, [])}


def read_corrections(
    data: Mapping[str, Any], schema: Schema | None = None, notices: tuple[Notice, ...] = ()
) -> Corrections:
    """Check what a person sent. Raises `BadCorrection`, which says what is possible.

    With the schema and notices that it is about, names of columns and answers are checked too.
    """
    _check_keys(data, KEYS, "correction")
    columns = _mapping(data.get("columns", {}), "columns")
    answers = _mapping(data.get("answers", {}), "answers")
    for name in [*columns, *filter(None, (data.get("group"), data.get("time")))]:
        _check_name(name, schema)
    for question, choice in answers.items():
        _check_answer(question, choice, schema, notices)
    return Corrections(
        {name: _column(name, each) for name, each in columns.items()},
        _text(data.get("group"), "group"),
        _text(data.get("time"), "time"),
        _line(data.get("header_line"), "header_line", least=0),
        _lines(data.get("leave_out_lines", [])),
        {str(key): str(value) for key, value in answers.items()},
    )


def _check_keys(data: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for key in data:
        if key not in known:
            raise BadCorrection(f"There is no {what} '{shortened(key)}', only: {listed(known)}.")


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadCorrection(f"'{name}' must be an object with a value for each name.")
    return value


def _column(name: str, data: object) -> ColumnCorrection:
    said = _mapping(data, f"columns.{shortened(name)}")
    _check_keys(said, COLUMN_KEYS, "correction of a column")
    kind = said.get("type")
    if kind is not None and kind not in COLUMN_TYPES:
        raise BadCorrection(f"There is no type '{shortened(kind)}', only: {listed(COLUMN_TYPES)}.")
    mark = said.get("decimal_mark")
    if mark not in {None, ".", ","}:
        raise BadCorrection("A decimal mark is '.' or ','.")
    ignore = said.get("ignore")
    if ignore is not None and not isinstance(ignore, bool):
        raise BadCorrection("'ignore' is true or false.")
    form = _text(said.get("format"), "format")
    return ColumnCorrection(
        kind, form, mark, ignore, _text(said.get("positive_class"), "positive_class")
    )


def _check_name(name: object, schema: Schema | None) -> None:
    if schema is not None and schema.column(str(name)) is None:
        raise BadCorrection(
            f"There is no column '{shortened(name)}'. The columns are: "
            f"{listed(column.name for column in schema.columns)}."
        )


def _check_answer(
    question: str, choice: object, schema: Schema | None, notices: tuple[Notice, ...]
) -> None:
    if not isinstance(choice, str):
        raise BadCorrection("An answer is one of the choices, as text.")
    if schema is None:
        return
    choices = next((n.choices for n in notices if n.id == question), None)
    if choices is None:
        open_ones = [n.id for n in notices if n.id]
        raise BadCorrection(
            f"There is no open question '{shortened(question)}'. Open are: "
            f"{listed(open_ones) if open_ones else 'none'}."
        )
    if choice not in choices:
        asked = shortened(question)
        raise BadCorrection(
            f"'{shortened(choice)}' is no answer to '{asked}', only: {listed(choices)}."
        )


def _text(value: object, name: str) -> str | None:
    if value is None or (isinstance(value, str) and 0 < len(value) <= 200):
        return value
    raise BadCorrection(f"'{name}' must be a text of 1 to 200 characters.")


def _line(value: object, name: str, least: int = 1) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadCorrection(f"'{name}' must be the number of a line, from {least}.")
    return value


def _lines(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_LINES:
        raise BadCorrection(f"'leave_out_lines' must be a list of up to {MAX_LINES:,} lines.")
    return tuple(sorted({line for each in value if (line := _line(each, "leave_out_lines"))}))


def changes(before: Schema, after: Schema) -> list[str]:
    """Say in sentences what is different in a new schema."""
    old = {column.name: column for column in before.columns}
    said = []
    for column in after.columns:
        was = old.pop(column.name, None)
        if was is None:
            said.append(f"'{column.name}' is new: {described(column)}.")
        elif described(was) != described(column):
            said.append(f"'{column.name}' is now {described(column)} (before: {described(was)}).")
    said += [f"'{name}' is gone." for name in old]
    for name in ("group", "time"):
        if getattr(before, name) != getattr(after, name):
            said.append(f"The column '{getattr(after, name)}' now says the {name}.")
    if before.source.left_out != after.source.left_out:
        said.append(f"{len(after.source.left_out):,} lines are left out now.")
    return said


def described(column: Column) -> str:
    """Return what a column is, in a few words."""
    parts: list[str] = [column.type]
    if column.type == "number" and column.decimal_mark == ",":
        parts.append("decimal comma")
    if column.type == "number" and column.style != "plain":
        parts.append(column.style)
    if column.format:
        from learning.columns.dates import shown  # noqa: PLC0415 (columns know schemas)

        parts.append(shown(column.format))
    if column.unit:
        parts.append(column.unit)
    if column.positive_class:
        parts.append(f"positive: {column.positive_class}")
    if column.question:
        parts.append("open question")
    if column.ignore:
        parts.append("left out")
    return ", ".join(parts)
