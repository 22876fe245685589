"""Opens a file of any kind as a table: its source, its notices, and its rows in chunks."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from learning.files.chunk import Chunk
from learning.files.decoding import SPACED_QUOTE, Utf8Stream, as_tabs
from learning.files.delimited import DelimitedReader, Misfit
from learning.files.delimiters import Dialect, detect_dialect
from learning.files.encodings import SHOWN, Encoding, Survey, detect_encoding, survey
from learning.files.kinds import refuse_other_kinds
from learning.files.layout import Layout, find_layout
from learning.files.rows import Row, split_lines, split_rows
from learning.files.segments import choose_segment, segments_of
from learning.files.unpacking import MAX_UNPACKED, Unpacked, unpack
from learning.schema.notice import Notice
from learning.schema.schema import Source

SAMPLE_BYTES = 1 << 18  # of the beginning, by which delimiter, header and width are found


class Reader(Protocol):
    """Reads the rows of a file by its source."""

    misfits: list[Misfit]

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows, in order."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose about a file: sheet, table, the header's line (0: there is none)."""

    sheet: str | None = None
    table: str | None = None
    header_line: int | None = None


@dataclass(slots=True)
class Table:
    """An opened file. `units` are those of the header; `native` columns were numbers already."""

    file: BinaryIO
    source: Source
    reader: Reader
    size_bytes: int
    units: dict[int, str] = field(default_factory=dict)
    native: frozenset[int] = frozenset()
    index_column: bool = False
    notices: list[Notice] = field(default_factory=list)


def open_table(
    source: BinaryIO | Path, opened: ExitStack, choices: Choices | None = None,
    max_bytes: int = MAX_UNPACKED,
) -> Table:  # fmt: skip
    """Find out how a file is to be read. Raises `UnreadableData` where it is no table.

    `opened` closes what is opened here.
    """
    unpacked = unpack(source, max_bytes, opened)
    chosen = choices or Choices()
    if unpacked.kind == "parquet":
        from learning.files.parquet import open_parquet  # noqa: PLC0415 (takes a while to import)

        return open_parquet(unpacked)
    if unpacked.kind == "excel":
        from learning.files.excel import open_excel  # noqa: PLC0415 (the same)

        return open_excel(unpacked, chosen)
    return _open_text(unpacked, chosen)


def reopen(
    source: BinaryIO | Path, known: Source, opened: ExitStack, max_bytes: int = MAX_UNPACKED
) -> Reader:
    """Open a file again as its profile understood it; nothing is guessed."""
    unpacked = unpack(source, max_bytes, opened)
    if known.kind == "parquet":
        from learning.files.parquet import ParquetReader  # noqa: PLC0415 (takes a while to import)

        return ParquetReader(unpacked.file)
    if known.kind == "excel":
        from learning.files.excel import reopen_excel  # noqa: PLC0415 (the same)

        return reopen_excel(unpacked.file, known)
    if known.kind == "json":
        from learning.files.json_records import JsonReader  # noqa: PLC0415 (the same)

        return JsonReader(unpacked.file, known)
    found = survey(unpacked.file)
    return _delimited(unpacked.file, known, found)


def _open_text(unpacked: Unpacked, chosen: Choices) -> Table:
    file = unpacked.file
    found = survey(file)
    encoding = detect_encoding(file, found)
    text = _sample(file, encoding)
    refuse_other_kinds(text[:4096].encode())
    check_is_text(text)
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        from learning.files.json_records import open_json  # noqa: PLC0415 (seldom needed)

        table = open_json(unpacked, encoding, text, found.size)
        if table is not None:
            return table
    source = Source(packed=unpacked.packed, encoding=encoding.name, fallback=encoding.fallback)
    return _open_delimited(file, source, found, text, encoding, chosen)


def _open_delimited(
    file: BinaryIO, source: Source, found: Survey, text: str, encoding: Encoding, chosen: Choices
) -> Table:
    lines = split_lines(text)
    if found.size > SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # it may be cut
    dialect = detect_dialect(lines)
    rows = rows_of(lines, dialect)
    segment = choose_segment(segments_of(rows), chosen.table)
    within = segment.rows if segment else rows
    layout = find_layout(within, dialect.delimiter, lines, chosen.header_line)
    source = replace(
        source,
        delimiter=dialect.delimiter if layout.width > 1 else "",
        quote=dialect.quote,
        escape=dialect.escape,
        spaced_quotes=SPACED_QUOTE.search(text) is not None,
        width=layout.width,
        names=tuple(layout.names),
        header_lines=layout.header_lines,
        skipped=layout.first_line - 1,
        pad_short=layout.pad_short,
        last_line=segment.rows[-1].last_line if segment else None,
    )
    reader = _delimited(file, source, found)
    notices = [*text_notices(encoding), *layout.notices]
    return Table(
        file, source, reader, found.size, layout.units, index_column=layout.index_column,
        notices=notices,
    )  # fmt: skip


def rows_of(lines: list[str], dialect: Dialect) -> list[Row]:
    """Split the lines of a sample by a dialect."""
    if dialect.delimiter == " ":
        lines = as_tabs("\n".join(lines)).split("\n")
        return split_rows(lines, "\t", dialect.quote, dialect.escape)
    return split_rows(lines, dialect.delimiter, dialect.quote, dialect.escape)


def _sample(file: BinaryIO, encoding: Encoding) -> str:
    stream = Utf8Stream(file, encoding.name, encoding.fallback)
    return stream.read(SAMPLE_BYTES).decode("utf-8", "ignore")


def check_is_text(text: str) -> None:
    """Raise `UnreadableData` for what has signs that no text has."""
    from learning.errors import UnreadableData  # noqa: PLC0415

    allowed = "\t\n\r\x1a\x1c\x1d\x1e\x1f\x01\x0b\x0c"
    wrong = sum(
        1
        for mark in text
        if (mark < " " and mark not in allowed)
        or mark == "\x7f"
        or ("\x80" <= mark < "\xa0" and mark != "\x85")
        or mark == "\ufffd"
    )
    if wrong * 200 > len(text):
        raise UnreadableData(
            "The file is not a text file, or its encoding is unknown. Save it again as CSV with "
            "the encoding UTF-8, or as Excel."
        )


def text_notices(encoding: Encoding) -> list[Notice]:
    """Say what was guessed about the encoding."""
    shown = SHOWN.get(encoding.name, encoding.name)
    found = []
    if encoding.guessed or encoding.name.startswith(("utf-16", "utf-32")):
        found.append(Notice("encoding", f"The file was read in the encoding {shown}."))
    if encoding.fallback:
        second = SHOWN.get(encoding.fallback, encoding.fallback)
        found.append(
            Notice("encoding_mixed", f"The file is in two encodings: most lines are {shown}, the "
                   f"others were read as {second}.")
        )  # fmt: skip
    return found


def _delimited(file: BinaryIO, source: Source, found: Survey) -> DelimitedReader:
    # Arrow looks for line ends within quotes only where asked to, which costs a third of its speed.
    quoted = found.quotes > 0 or source.quote not in {'"', ""}
    return DelimitedReader(file, source, quoted=quoted, odd_quotes=found.quotes % 2 == 1)


__all__ = ["Choices", "Layout", "Reader", "Table", "open_table", "reopen"]
