"""A table as the profile understood it. Frozen: training and prediction apply it, unchanged."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from learning.schema.column import Column


@dataclass(frozen=True, slots=True)
class Source:
    """How the file is read again in the same way, whatever other rows it may hold then.

    `delimiter` is "" for one column and " " for runs of blanks. `skipped` are the lines above
    the first row, `left_out` those among and below the rows. With `pad_short`, rows that end
    early have blank cells at their end; with `spaced_quotes`, a blank may stand before a quote.
    `kind` is csv, excel, json or parquet.
    """

    kind: str = "csv"
    packed: str | None = None
    encoding: str = "utf-8"
    fallback: str | None = None
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    width: int = 1
    names: tuple[str, ...] = ()
    header_lines: tuple[int, ...] = ()
    skipped: int = 0
    left_out: tuple[int, ...] = ()
    sheet: str | None = None
    last_line: int | None = None
    pad_short: bool = False
    spaced_quotes: bool = False

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Source":
        """Read back what `Schema.to_json` wrote."""
        known = {field.name for field in fields(cls)}
        found: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in data.items()
            if key in known
        }
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table and how its file is read; `group` and `time` are column names."""

    columns: tuple[Column, ...]
    source: Source = Source()
    group: str | None = None
    time: str | None = None

    def column(self, name: str) -> Column | None:
        """Return the column of exactly that name."""
        return next((column for column in self.columns if column.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON, which `from_json` reads back equal."""
        source = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self.source).items()
        }
        return {
            "columns": [column.to_json() for column in self.columns],
            "source": source,
            "group": self.group,
            "time": self.time,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Schema":
        """Read back what `to_json` wrote."""
        return cls(
            columns=tuple(Column.from_json(each) for each in data["columns"]),
            source=Source.from_json(data.get("source", {})),
            group=data.get("group"),
            time=data.get("time"),
        )
