"""A table whose cells are known already, as from a spreadsheet: found and read like text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from learning.files.chunk import Chunk, chunk_of
from learning.files.delimited import Misfit
from learning.files.rows import Row
from learning.schema.schema import Source

CHUNK_ROWS = 50_000


@dataclass(slots=True)
class GridReader:
    """Yields the rows of a grid from its first line on."""

    rows: Sequence[Sequence[str]]
    source: Source
    misfits: list[Misfit] = field(default_factory=list)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows that are not blank."""
        width, skipped = self.source.width, self.source.skipped
        last = self.source.last_line or len(self.rows)
        numbered = [
            (i + 1, [*row, *[""] * width][:width])
            for i, row in enumerate(self.rows[:last])
            if i >= skipped and any(row)
        ]
        for start in range(0, len(numbered), CHUNK_ROWS):
            part = numbered[start : start + CHUNK_ROWS]
            yield chunk_of([line for line, _ in part], [row for _, row in part], width)


def rows_of_grid(rows: Sequence[Sequence[str]]) -> list[Row]:
    """Return the rows of a grid for finding its layout, without columns that are all blank."""
    width = max((_filled(row) for row in rows), default=0)
    return [Row(i, i, [*row[:width]]) for i, row in enumerate(rows, 1)]


def _filled(row: Sequence[str]) -> int:
    return next((i for i in range(len(row), 0, -1) if row[i - 1].strip()), 0)
