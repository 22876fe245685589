"""Reads a whole file once, chunk by chunk, and says what it is: its schema and its notices."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from learning.files.chunk import Chunk
from learning.files.table import Choices, Table, open_table
from learning.files.unpacking import MAX_UNPACKED
from learning.profiling.inference import Inference, infer_columns
from learning.profiling.records import (
    FirstLook,
    check_misfits,
    kept_kinds,
    look,
    notices_of,
    typed_by_cells,
    with_last,
)
from learning.profiling.statistics import Statistics
from learning.profiling.whole_table import table_notices
from learning.progress import OnProgress
from learning.rows.fill_down import continued_columns
from learning.rows.reading import records
from learning.schema.column import Column
from learning.schema.corrections import Corrections
from learning.schema.notice import Notice
from learning.schema.schema import Schema

FEW_ROWS = 10  # below, nothing can be learnt from a table
MAX_PASSES = 3  # over a file whose later rows change what its first ones seemed to be


@dataclass(frozen=True, slots=True)
class Profile:
    """A file as understood: `schema` serves trainings and predictions, `notices` people.

    `format` is csv, excel, json or parquet, with the archive it came in, as in `csv (zip)`.
    """

    row_count: int
    column_count: int
    size_bytes: int
    format: str
    schema: Schema
    notices: tuple[Notice, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the schema."""
        return self.schema.columns


def profile(
    source: BinaryIO | Path,
    *,
    corrections: Corrections | None = None,
    sheet: str | None = None,
    table: str | None = None,
    max_bytes: int = MAX_UNPACKED,
    on_progress: OnProgress | None = None,
) -> Profile:
    """Understand a file. Raises `UnreadableData` with a sentence where it is no table.

    `corrections` are all that a person has said so far, `sheet` and `table` choose among
    several. `max_bytes` bounds what an archive may unpack to.
    """
    said = corrections or Corrections()
    with ExitStack() as opened:
        choices = Choices(sheet, table, said.header_line)
        found = open_table(source, opened, choices, max_bytes)
        reading = _Reading(found, said, _Report(found, on_progress))
        reading.first_pass()
        passes = 1
        while passes < MAX_PASSES and reading.settle():
            reading.next_pass()
            passes += 1
        return reading.result()


@dataclass(slots=True)
class _Report:
    table: Table
    on_progress: OnProgress | None

    def __call__(self, start: float, end: float) -> None:
        if self.on_progress is None:
            return
        try:
            done = self.table.file.tell() / max(1, self.table.size_bytes)
        except (OSError, ValueError):
            done = 0.0
        self.on_progress(start + (end - start) * min(1.0, done), "Reading the rows")


class _Reading:
    """One file being profiled: what is known of its lines and columns so far."""

    def __init__(self, table: Table, said: Corrections, report: _Report) -> None:
        self.table, self.said, self.report = table, said, report
        self.look = FirstLook(kept=kept_kinds(said.answers), given=frozenset(said.leave_out_lines))
        self.rows = 0
        self.last_line = 0
        self.inference: Inference | None = None
        self.statistics: list[Statistics] = []
        self.first: Chunk | None = None

    def first_pass(self) -> None:
        """Look at all rows: infer the columns from the first chunk, count them in all."""
        names = self.table.source.names
        typed: list[bool] = []
        for chunk, is_last in with_last(self.table.reader.chunks()):
            is_first = self.inference is None
            if is_first:
                typed = typed_by_cells(chunk)
            kept = look(chunk, typed, names, self.look, is_first=is_first, is_last=is_last)
            if is_first:
                self.look.fill_down = continued_columns(kept)
                kept = self._filled(kept)
                self._infer(kept)
            elif self.look.fill_down:
                kept = self._filled(kept)
            self._count(kept)
            self.report(0.0, 90.0)
        self.look.misfits = self.table.reader.misfits
        source = self.table.source
        check_misfits(self.look.misfits, self.rows, source.width, source.header_lines)

    def _filled(self, chunk: Chunk) -> Chunk:
        return next(records([chunk], (), self.look.fill_down))

    def _infer(self, chunk: Chunk) -> None:
        self.first = chunk
        self.inference = infer_columns(chunk, self.table, self.said)
        self._begin_statistics()

    def _begin_statistics(self) -> None:
        assert self.inference is not None  # noqa: S101 (for the type checker)
        width = self.table.source.width
        self.statistics = [Statistics(f.column, width) for f in self.inference.findings]

    def _count(self, chunk: Chunk) -> None:
        self.rows += len(chunk)
        if len(chunk):
            self.last_line = max(self.last_line, int(chunk.lines[-1]))
        assert self.inference is not None  # noqa: S101 (for the type checker)
        for statistics, cells in zip(self.statistics, chunk.cells, strict=True):
            statistics.add(cells, chunk.lines)
        self.inference.watch(chunk)

    def settle(self) -> bool:
        """Infer anew the columns of which later rows say something else; whether any changed."""
        if self.inference is None:
            return False
        unread = [s.unread if s.unread_cells else None for s in self.statistics]
        return self.inference.reconsider(unread, self.table, self.said)

    def next_pass(self) -> None:
        """Count all rows again by the columns as they are now."""
        self._begin_statistics()
        self.rows = 0
        self.table.reader.misfits = []
        chunks = records(self.table.reader.chunks(), self.look.left_out(), self.look.fill_down)
        for chunk in chunks:
            self.rows += len(chunk)
            for statistics, cells in zip(self.statistics, chunk.cells, strict=True):
                statistics.add(cells, chunk.lines)
            self.report(0.0, 90.0)

    def result(self) -> Profile:
        """Return the profile of what was read."""
        source = replace(
            self.table.source,
            left_out=tuple(sorted(self.look.left_out())),
        )
        notices = list(self.table.notices)
        columns = self._columns(notices)
        fill = set(self.look.fill_down)
        columns = [replace(c, fill_down=c.position in fill) for c in columns]
        notices += notices_of(self.look, self.last_line, source.width, source.names)
        if self.first is not None:
            columns, more = table_notices(self.first, columns)
            notices += more
        if self.rows < FEW_ROWS:
            few = "only 1 row" if self.rows == 1 else f"only {self.rows} rows"
            text = few if self.rows else "no rows"
            notices.append(
                Notice("few_rows", f"The table has {text}; {FEW_ROWS} or more are needed to "
                       "learn from it.")
            )  # fmt: skip
        packed = f" ({source.packed})" if source.packed else ""
        schema = Schema(tuple(columns), source, self.said.group, self.said.time)
        return Profile(
            self.rows, len(columns), self.table.size_bytes, source.kind + packed, schema,
            tuple(notices),
        )  # fmt: skip

    def _columns(self, notices: list[Notice]) -> list[Column]:
        if self.inference is None:
            names = self.table.source.names
            return [Column(name, "empty", position=i) for i, name in enumerate(names)]
        columns = []
        for statistics, finding, tally in zip(
            self.statistics, self.inference.findings, self.inference.tallies, strict=True
        ):
            column = statistics.result(tally.distinct)
            name = self.table.source.names[column.position]
            if (
                column.type == "empty"
                and name.startswith("column ")
                and column.missing == self.rows
            ):
                continue  # a delimiter at the end of each line makes no column
            columns.append(column)
            notices += finding.notices
            notices += _unread(statistics)
        return columns


def _unread(statistics: Statistics) -> Iterator[Notice]:
    """Say which cells could not be read as what the column is."""
    unread = statistics.unread
    column = statistics.column
    if unread is None or column.question is not None:
        return
    yield Notice(
        "unread_cells",
        f"In '{column.name}', {statistics.unread_cells:,} cells are no {column.type}, such as "
        f"'{unread.values[0][:60]}': they count as missing.",
        column=column.name,
        lines=tuple(sorted(unread.lines.tolist())),
    )
