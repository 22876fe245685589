"""Excel and OpenDocument sheets, by python-calamine: six times faster than openpyxl."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from learning.errors import UnreadableData, listed, shortened
from learning.files.grid import GridReader, rows_of_grid
from learning.files.layout import find_layout
from learning.files.segments import choose_segment, segments_of
from learning.files.table import Choices, Table
from learning.files.unpacking import Unpacked
from learning.schema.notice import Notice
from learning.schema.schema import Source

# Unpacked, all of it is in memory as XML and then as cells, at up to ten times this size.
MAX_DECLARED = 200 * 1000**2  # bytes
MAX_CELLS = 20_000_000  # 100 bytes each in memory
DIMENSION = re.compile(rb'<dimension ref="(?:[A-Z]+\d+:)?([A-Z]+)(\d+)"')
SAMPLE_ROWS = 2_000
NATIVE_SHARE = 0.5  # of a column's cells that are numbers already: its decimal mark is certain


def open_excel(unpacked: Unpacked, chosen: Choices) -> Table:
    """Open the sheet with the table. Raises `UnreadableData` where there is none."""
    file = unpacked.file
    size = check_declared_size(file)
    workbook = _workbook(file)
    name, others = _sheet(workbook, chosen.sheet)
    cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    rows, native = as_text(cells)
    found = rows_of_grid(rows[:SAMPLE_ROWS])
    segment = choose_segment(segments_of(found), chosen.table)
    layout = find_layout(segment.rows if segment else found, "", [], chosen.header_line)
    source = Source(
        kind="excel",
        packed=unpacked.packed,
        width=layout.width,
        delimiter="",
        names=tuple(layout.names),
        header_lines=layout.header_lines,
        skipped=layout.first_line - 1,
        sheet=name,
        last_line=segment.rows[-1].last_line if segment else None,
    )
    notices = [_sheet_notice(name, others), *layout.notices]
    return Table(
        file, source, GridReader(rows, source), size, layout.units, native, notices=notices
    )


def reopen_excel(file: BinaryIO, known: Source) -> GridReader:
    """Open the sheet that the profile read."""
    check_declared_size(file)
    workbook = _workbook(file)
    name = known.sheet if known.sheet in workbook.sheet_names else workbook.sheet_names[0]
    rows, _ = as_text(workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
    return GridReader(rows, known)


def check_declared_size(file: BinaryIO) -> int:
    """Return the file's size. Raises `UnreadableData` where it would unpack to too much."""
    size = file.seek(0, 2)
    file.seek(0)
    try:
        with ZipFile(file) as archive:
            declared = sum(info.file_size for info in archive.infolist())
            if declared > MAX_DECLARED:
                raise UnreadableData(
                    f"The workbook declares {declared / 1e6:,.0f} MB; up to "
                    f"{MAX_DECLARED / 1e6:,.0f} MB are possible. Save the sheet as CSV."
                )
            for info in archive.infolist():
                if info.filename.startswith("xl/worksheets/sheet"):
                    with archive.open(info) as sheet:
                        _check_dimension(sheet.read(4096))
    except BadZipFile:
        pass  # the old format is no archive
    file.seek(0)
    return size


def _check_dimension(head: bytes) -> None:
    match = DIMENSION.search(head)
    if match is None:
        return
    columns = 0
    for letter in match.group(1):
        columns = columns * 26 + letter - 64
    cells = columns * int(match.group(2))
    if cells > MAX_CELLS:
        raise UnreadableData(
            f"A sheet of the workbook declares {cells:,} cells; up to {MAX_CELLS:,} are "
            "possible. Save the table as CSV."
        )


def _workbook(file: BinaryIO) -> CalamineWorkbook:
    file.seek(0)
    try:
        return CalamineWorkbook.from_filelike(file)
    except PasswordError as error:
        raise UnreadableData("The workbook is locked with a password. Save it without.") from error
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableData(
            "The file is no workbook that can be read, or is damaged. Save the sheet as CSV."
        ) from error


def _sheet(workbook: CalamineWorkbook, wanted: str | None) -> tuple[str, list[str]]:
    names = workbook.sheet_names
    if wanted is not None:
        for name in names:
            if name.strip().casefold() == wanted.strip().casefold():
                return name, []
        raise UnreadableData(
            f"The workbook has no sheet '{shortened(wanted)}'. Its sheets are: {listed(names)}."
        )
    try:
        filled = [n for n in names if workbook.get_sheet_by_name(n).total_height > 1]
    except CalamineError as error:
        raise UnreadableData("A sheet of the workbook is damaged. Save it as CSV.") from error
    if not filled:
        raise UnreadableData("The workbook has no sheet with rows.")
    return filled[0], filled[1:]


def _sheet_notice(name: str, others: Sequence[str]) -> Notice:
    more = f" Not read: {listed(others)}." if others else ""
    return Notice("sheet", f"The sheet '{shortened(name)}' was read.{more}")


def as_text(cells: Sequence[Sequence[object]]) -> tuple[list[list[str]], frozenset[int]]:
    """Return cells as text, and the columns of which most filled cells are numbers."""
    rows = [[_text(value) for value in row] for row in cells]
    width = max(map(len, cells), default=0)
    native = set()
    for j in range(width):
        filled = [row[j] for row in cells[:SAMPLE_ROWS] if j < len(row) and row[j] != ""]
        numbers = sum(isinstance(v, int | float) and not isinstance(v, bool) for v in filled)
        if filled and numbers > NATIVE_SHARE * len(filled):
            native.add(j)
    return rows, frozenset(native)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(" ")
    if isinstance(value, dt.timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(value)
