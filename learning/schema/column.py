"""One column as the profile understood it: everything that turns a cell into a value."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

ColumnType: TypeAlias = Literal["number", "category", "text", "date", "id", "constant", "empty"]
COLUMN_TYPES: tuple[str, ...] = get_args(ColumnType)

NumberStyle: TypeAlias = Literal["plain", "range", "duration", "clock", "hhmm"]
"""How numbers are written: plain, as ranges (5-6), as 1:58:06, as 12:27AM, or as 1227."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file. Its fields decide what a cell means, in training and in prediction.

    `position` counts from 0 in the file's rows. `markers` stand for no value, besides "".
    `units` are the texts around numbers that are dropped, `flags` those behind some of them.
    `format` is that of a date, in the letters of strftime; a time behind it is always read.
    `low` and `high` bound the values seen (seconds since 1970 for a date). `categories` are
    the labels seen, most frequent first, at most `MAX_LABELS`. `question` is the id of an
    open question: until it is answered, the column stays out of a training.
    """

    name: str
    type: ColumnType
    position: int = 0
    decimal_mark: str = "."
    thousands: str = ""
    units: tuple[str, ...] = ()
    unit: str | None = None
    flags: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    style: NumberStyle = "plain"
    format: str | None = None
    utc: bool = False
    joined: tuple[str, ...] = ()
    fold_case: bool = False
    blank_is_no: bool = False
    fill_down: bool = False
    ignore: bool = False
    question: str | None = None
    positive_class: str | None = None
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    distinct: int = 0
    missing: int = 0
    rows: int = 0
    examples: tuple[str, ...] = ()
    histogram: tuple[int, ...] = ()
    reason: str | None = None

    @property
    def missing_share(self) -> float:
        """The share of rows without a value, 0 to 1."""
        return self.missing / self.rows if self.rows else 0.0

    @property
    def is_feature(self) -> bool:
        """Whether a model may learn from the column."""
        usable = self.type in {"number", "category", "text", "date"}
        return usable and not self.ignore and self.question is None

    def to_json(self) -> dict[str, Any]:
        """Return the column as JSON; fields that have their default are left out."""
        plain = {
            field.name: field.default
            for field in fields(self)
            if field.name not in {"name", "type"}
        }
        found = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
            if key not in plain or value != plain[key]
        }
        return {**found, "missing_share": round(self.missing_share, 6)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Column":
        """Read back what `to_json` wrote; what this version does not know is ignored."""
        known = {field.name for field in fields(cls)}
        found: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in data.items()
            if key in known
        }
        return cls(**found)
