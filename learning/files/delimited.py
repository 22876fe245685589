"""Reads rows of delimited text in chunks, with the lines that do not fit set aside.

Arrow's parser: it reads 300 MB a second as text, and hands over rows of another width.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from learning.errors import UnreadableData
from learning.files.chunk import Chunk, chunk_of
from learning.files.decoding import Utf8Stream
from learning.files.rows import split_rows
from learning.schema.schema import Source

BLOCK_BYTES = 4 << 20  # of text parsed at a time: some 20,000 rows; larger blocks are no faster
CHECKED_QUOTES = 1_000  # cells over several lines, per block
MAX_MISFITS = 20_000  # lines that do not fit the table; with more it is no table of that width
LINE_END = r"\r\n|\r|\n"
LINE_END_TEXT = re.compile(LINE_END)
LINE_END_BYTES = re.compile(LINE_END.encode())
SKIPPED_AT_ONCE = 1 << 16  # bytes: a header is mostly shorter
UNCLOSED = "A quote is opened and never closed, probably on line {}. Export the file again as CSV."


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row that has more or fewer cells than the table has columns."""

    line: int
    cells: list[str]


@dataclass(slots=True)
class DelimitedReader:
    """Reads one file by its `Source`; `misfits` and `blank_lines` grow while it is read."""

    file: BinaryIO
    source: Source
    quoted: bool
    odd_quotes: bool = False
    misfits: list[Misfit] = field(default_factory=list)

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows of the table's width that are not blank, and short ones where padded."""
        source = self.source
        stream = Utf8Stream(
            self.file,
            source.encoding,
            source.fallback,
            blanks=source.delimiter == " ",
            spaced_quotes=source.spaced_quotes,
        )
        skip_lines(stream, source.skipped)
        pending: list[tuple[int, str]] = []

        def set_aside(row: csv.InvalidRow) -> str:
            pending.append((row.number, row.text))
            if len(self.misfits) + len(pending) > MAX_MISFITS:
                return "error"
            return "skip"

        done, extra = 0, 0  # rows, and line ends within them
        for columns in self._parse(stream, set_aside):
            found = _taken(pending, done, len(columns[0]))
            chunk, done, extra = self._numbered(columns, found, done, extra)
            last = source.last_line
            if last is not None and len(chunk) and chunk.lines[-1] > last:
                yield chunk.take(chunk.lines <= last)
                return
            yield chunk
        self._set_aside([(n, source.skipped + n + extra, text) for n, text in pending])

    def _parse(self, stream: Utf8Stream, set_aside: object) -> Iterator[list[pa.StringArray]]:
        names = [f"f{j}" for j in range(self.source.width)]
        mark = {" ": "\t", "": "\x1e"}.get(self.source.delimiter, self.source.delimiter)
        try:
            reader = csv.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, column_names=names
                ),
                parse_options=csv.ParseOptions(
                    delimiter=mark,
                    quote_char=self.source.quote or False,
                    escape_char=self.source.escape or False,
                    newlines_in_values=self.quoted,
                    ignore_empty_lines=False,
                    invalid_row_handler=set_aside,
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), check_utf8=False
                ),
            )
            for batch in reader:
                yield batch.columns
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return
            raise UnreadableData(_explain(str(error), self.misfits)) from error

    def _numbered(
        self, columns: list[pa.StringArray], found: list[tuple[int, str]], done: int, extra: int
    ) -> tuple[Chunk, int, int]:
        """Give rows their lines: parsed rows and misfits are numbered together, from 1."""
        count = len(columns[0])
        numbers = np.arange(done + 1, done + 1 + count + len(found), dtype=np.int64)
        inner = np.zeros(len(numbers), dtype=np.int64)
        wrong = np.array([number - done - 1 for number, _ in found], dtype=np.int64)
        fits = np.ones(len(numbers), dtype=bool)
        fits[wrong] = False
        if self.quoted:
            inner[fits] = line_ends(columns)
            self._check_quotes(columns, np.flatnonzero(inner[fits]), done)
            inner[~fits] = [len(LINE_END_TEXT.findall(text)) for _, text in found]
        before = extra + np.cumsum(inner) - inner
        lines = self.source.skipped + numbers + before
        by_number = dict(zip(numbers.tolist(), lines.tolist(), strict=True))
        short = self._set_aside([(n, by_number.get(n, n), text) for n, text in found])
        chunk = Chunk(lines[fits], columns)
        if short:
            chunk = _merged(chunk, short, self.source.width)
        return chunk, int(numbers[-1]) if len(numbers) else done, extra + int(inner.sum())

    def _check_quotes(
        self, columns: list[pa.StringArray], several: NDArray[np.int64], done: int
    ) -> None:
        """Raise `UnreadableData` where a cell over several lines holds what look like rows."""
        for i in several[:CHECKED_QUOTES].tolist():
            for column in columns:
                inside = LINE_END_TEXT.split(column[i].as_py())[1:]
                rows = [line.count(self.source.delimiter or "\x1e") for line in inside]
                like_rows = sum(count == self.source.width - 1 > 0 for count in rows)
                unended = self.odd_quotes and inside and not inside[-1]
                if unended or 2 * like_rows > len(inside) > 0:
                    line = self.source.skipped + done + i + 1
                    raise UnreadableData(UNCLOSED.format(line))

    def _set_aside(self, found: list[tuple[int, int, str]]) -> list[Misfit]:
        """Keep misfits, but return those that are rows without their last, blank cells."""
        short = []
        mark = {" ": "\t"}.get(self.source.delimiter, self.source.delimiter)
        for _, line, text in found:
            if self.source.last_line is not None and line > self.source.last_line:
                continue
            rows = split_rows([text], mark, self.source.quote, self.source.escape)
            cells = rows[0].cells if rows else [text]
            if self.source.pad_short and 1 < len(cells) < self.source.width:
                short.append(Misfit(line, cells))
            elif len(cells) > self.source.width and not any(cells[self.source.width :]):
                short.append(Misfit(line, cells[: self.source.width]))
            elif any(cell.strip() for cell in cells):
                self.misfits.append(Misfit(line, cells))
        return short


def skip_lines(stream: Utf8Stream, count: int) -> None:
    """Read a stream up to the beginning of line `count` + 1."""
    while count > 0:
        block = stream.read(SKIPPED_AT_ONCE)
        if block.endswith(b"\r"):
            block += stream.read(1)
        if not block:
            return
        ends = [match.end() for match in islice(LINE_END_BYTES.finditer(block), count)]
        count -= len(ends)
        if count == 0:
            stream.push_back(block[ends[-1] :])


def line_ends(columns: list[pa.StringArray]) -> NDArray[np.int64]:
    """Return how many line ends each row has within its cells."""
    total = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        if pc.any(pc.match_substring_regex(column, "[\r\n]")).as_py():
            total += pc.count_substring_regex(column, LINE_END).to_numpy(zero_copy_only=False)
    return total


def _taken(pending: list[tuple[int, str]], done: int, count: int) -> list[tuple[int, str]]:
    """Remove from `pending` the misfits among or right behind the next `count` rows."""
    taken = 0
    while taken < len(pending) and pending[taken][0] - done - 1 - taken <= count:
        taken += 1
    found = pending[:taken]
    del pending[:taken]
    return found


def _merged(chunk: Chunk, short: list[Misfit], width: int) -> Chunk:
    rows = [row.cells + [""] * (width - len(row.cells)) for row in short]
    other = chunk_of([row.line for row in short], rows, width)
    lines = np.concatenate([chunk.lines, other.lines])
    order = np.argsort(lines, kind="stable")
    cells = [
        pa.concat_arrays([a, b]).take(pa.array(order))
        for a, b in zip(chunk.cells, other.cells, strict=True)
    ]
    return Chunk(lines[order], cells)


def _explain(message: str, misfits: list[Misfit]) -> str:
    if "straddling" in message or "quote" in message:
        return UNCLOSED.format("1 or later")
    if misfits:
        return (
            f"More than {MAX_MISFITS:,} lines do not fit the table, the first of them line "
            f"{misfits[0].line}. Export the file again as CSV."
        )
    return "The file is not a well-formed CSV file. Export it again as CSV."
