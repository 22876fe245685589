"""Where the table stands in a file: the lines above it, its header, its first row, its width."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from learning.errors import UnreadableData, shortened
from learning.files.delimiters import USUAL
from learning.files.header import count_header_rows
from learning.files.header_notices import said_of_lines
from learning.files.names import (
    header_notices,
    is_technical_line,
    is_unit_line,
    join_names,
    unique_names,
)
from learning.files.rows import RULE, Row, is_typed, split_rows
from learning.schema.notice import Notice, spans

NEXT_ROWS = 12  # that must mostly have the table's width, where it begins
MAX_COLUMNS = 2_000  # see learning/dataset.py
SHOWN_DELIMITERS = {"\t": "a tab", " ": "blanks"}


@dataclass(slots=True)
class Layout:
    """`first_line` is the line of the first row; `names` and `units` have one entry a column."""

    width: int
    names: list[str]
    units: dict[int, str]
    first_line: int
    header_lines: tuple[int, ...]
    index_column: bool = False
    pad_short: bool = False
    notices: list[Notice] = field(default_factory=list)


def find_layout(
    rows: Sequence[Row], delimiter: str, raw: Sequence[str], header_line: int | None = None
) -> Layout:
    """Return the layout of a file, from its first rows and their lines as they are.

    `header_line` is a person's correction; 0 says that there is no header. Raises
    `UnreadableData` where header and rows do not fit.
    """
    full = [row for row in rows if row.filled and not is_rule(row.cells)]
    if not full:
        raise UnreadableData(
            "The file is empty. It needs a first line with the names of the columns and one "
            "line for each row."
        )
    width = _width(full)
    padded = _ends_early(full, width)
    if padded and header_line is None:
        return _padded(full, padded)
    if header_line is not None:
        return _given_header(full, width, header_line)
    begin = _begin(full, width)
    body = full[begin:]
    count = count_header_rows([row for row in body if len(row.cells) == width], width)
    if count:
        header = body[:count]
        return _finish(full[:begin], header, body[count:], width, header[0].cells)
    return _header_elsewhere(full, begin, width, delimiter, raw)


def _width(rows: Sequence[Row]) -> int:
    counts = Counter(len(row.cells) for row in rows)
    most = max(counts.values())
    several = {width: count for width, count in counts.items() if width > 1}
    # Titles and notes have one cell; a short table may have fewer rows than they.
    if several and max(several.values()) * 3 >= most:
        return max(several.items(), key=lambda item: (item[1], item[0]))[0]
    return counts.most_common(1)[0][0]


def _ends_early(rows: Sequence[Row], width: int) -> int | None:
    """The header's width, where most rows end before it because their last cells are blank."""
    widest = max(len(row.cells) for row in rows)
    at = next(i for i, row in enumerate(rows) if len(row.cells) == widest)
    names, below = rows[at].cells, rows[at + 1 :]
    is_header = all(name.strip() and not is_typed(name) for name in names)
    # Some rows must be whole: else the header may name what the rows do not have at all.
    some_whole = any(len(row.cells) == widest for row in below)
    if widest > width > 1 and is_header and some_whole and all(len(r.cells) > 1 for r in below):
        return widest
    return None


def _padded(rows: Sequence[Row], width: int) -> Layout:
    at = next(i for i, row in enumerate(rows) if len(row.cells) == width)
    body = [Row(r.line, r.last_line, [*r.cells, *[""] * width][:width]) for r in rows[at + 1 :]]
    found = _finish(rows[:at], [rows[at]], body, width, rows[at].cells)
    found.pad_short = True
    message = f"Most rows end before the last of the {width} columns: what they lack is blank."
    found.notices.append(Notice("rows_padded", message))
    return found


def _begin(rows: Sequence[Row], width: int) -> int:
    for i, row in enumerate(rows):
        if len(row.cells) != width or _is_title(row, rows[i + 1 : i + 3], width):
            continue
        following = rows[i : i + NEXT_ROWS]
        if sum(len(r.cells) == width for r in following) * 2 > len(following):
            return i
    return next(i for i, row in enumerate(rows) if len(row.cells) == width)


def _is_title(row: Row, below: Sequence[Row], width: int) -> bool:
    """Whether a row holds one or two leading cells alone, as titles and dates of reports do."""
    if not below:
        return False
    if width < 3:
        # With two columns a blank cell says little, unless all rows below are full.
        return (
            row.filled < width
            and bool(row.cells[0].strip())
            and all(r.filled == width for r in below)
        )
    leading = next((i for i, cell in enumerate(row.cells) if not cell.strip()), width)
    few = leading == row.filled <= max(1, min(2, width // 3))
    return few and any(r.filled > row.filled for r in below)


def is_rule(cells: Sequence[str]) -> bool:
    """Whether a row is drawn, not written: `---`, `===`, `|:--|--:|`."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and all(RULE.match(cell) and len(cell) > 2 for cell in filled)


def _given_header(rows: Sequence[Row], width: int, header_line: int) -> Layout:
    if header_line == 0:
        begin = _begin(rows, width)
        return _finish(rows[:begin], [], rows[begin:], width, [])
    at = next((i for i, r in enumerate(rows) if r.line <= header_line <= r.last_line), None)
    if at is None or at + 1 >= len(rows):
        raise UnreadableData(f"Line {header_line} cannot be the header: there are no rows below.")
    below = [len(r.cells) for r in rows[at + 1 :]]
    width = max(Counter(below).items(), key=lambda item: item[1])[0]
    if len(rows[at].cells) != width:
        raise UnreadableData(
            f"Line {header_line} cannot be the header: it has {len(rows[at].cells)} cells, the "
            f"lines below have {width}."
        )
    return _finish(rows[:at], [rows[at]], rows[at + 1 :], width, rows[at].cells)


def _header_elsewhere(
    rows: Sequence[Row], begin: int, width: int, delimiter: str, raw: Sequence[str]
) -> Layout:
    """The first row of the table's width holds values: the header may be the row above."""
    body = rows[begin:]
    above = rows[begin - 1] if begin else None
    if above is None or is_typed(above.cells[0]):
        return _finish(rows[:begin], [], body, width, [])
    cells, mark = above.cells, delimiter
    if len(cells) == 1:
        cells, mark = _other_split(raw[above.line - 1], delimiter)
    if len(cells) == width and mark != delimiter:
        found = _finish(rows[: begin - 1], [above], body, width, cells)
        found.notices.append(
            Notice("header_delimiter", f"Line {above.line} is set apart by {_shown(mark)}, the "
                   f"rows by {_shown(delimiter)}.", lines=(above.line,))
        )  # fmt: skip
        return found
    fitted = _one_off(cells, body, width)
    if fitted is not None and mark == delimiter:
        found = _finish(rows[: begin - 1], [above], body, width, fitted)
        found.index_column = fitted[0] == ""
        return found
    if len(cells) > 2 or (len(cells) == 2 and mark == delimiter):
        raise _header_misfit(above.line, cells, mark, body, width, delimiter)
    return _finish(rows[:begin], [], body, width, [])


def _other_split(line: str, delimiter: str) -> tuple[list[str], str]:
    best: tuple[list[str], str] = ([line], delimiter)
    for mark in USUAL:
        if mark not in (delimiter, "") and mark in line:
            cells = split_rows([line], mark)[0].cells
            wordy = sum(len(cell.split()) > 4 for cell in cells)
            if len(cells) > len(best[0]) and not wordy:
                best = (cells, mark)
    return best


def _one_off(cells: list[str], body: Sequence[Row], width: int) -> list[str] | None:
    """The names where each row has one cell more: a delimiter at its end, or a row's name."""
    if len(cells) == width + 1 and not cells[-1].strip():
        return cells[:-1]
    if len(cells) != width - 1:
        return None
    if all(not row.cells[-1].strip() for row in body if len(row.cells) == width):
        return [*cells, ""]
    first = [row.cells[0].strip() for row in body if len(row.cells) == width]
    counted = first == [str(i) for i in range(1, len(first) + 1)]
    named = len(set(first)) == len(first) and not any(map(is_typed, first))
    return ["", *cells] if len(first) > 1 and (counted or named) else None


def _header_misfit(
    line: int, cells: list[str], mark: str, body: Sequence[Row], width: int, delimiter: str
) -> UnreadableData:
    lines = spans(range(body[0].line, body[-1].last_line + 1))
    by = f" by {_shown(mark)}" if mark != delimiter else ""
    by_rows = f" by {_shown(delimiter)}" if mark != delimiter else ""
    verb = "holds" if lines.startswith("line ") else "hold"
    return UnreadableData(
        f"Line {line} names {len(cells)} columns{by} ('{shortened(cells[0])}', …), but {lines} "
        f"{verb} {width} values{by_rows}. Correct the header, or put quotes around values "
        "that contain a separator."
    )


def _shown(delimiter: str) -> str:
    return SHOWN_DELIMITERS.get(delimiter, f"`{delimiter}`")


def _finish(
    above: Sequence[Row], header: Sequence[Row], body: Sequence[Row], width: int, cells: list[str]
) -> Layout:
    if width > MAX_COLUMNS:
        raise UnreadableData(
            f"The file has {width:,} columns; up to {MAX_COLUMNS:,} are possible. Remove columns "
            "that are not needed."
        )
    lines = tuple(n for row in header for n in range(row.line, row.last_line + 1))
    notices: list[Notice] = []
    technical = [row for row in header if is_technical_line(row.cells) and row is not header[0]]
    unit_rows = [row for row in header[1:] if row not in technical and is_unit_line(row.cells)]
    naming = [row for row in header if row not in technical and row not in unit_rows]
    units = {
        i: cell.strip(" []()")
        for row in unit_rows
        for i, cell in enumerate(row.cells[:width])
        if cell.strip(" []()-–")
    }
    notices += said_of_lines(above, header, technical, body)
    texts = [cells] if len(naming) == 1 else [row.cells for row in naming]
    joined = join_names(texts, width) if header else [""] * width
    if len(header) - len(technical) > 1 or (header and cells != header[0].cells):
        notices += header_notices(joined, [], [row.line for row in header])
    else:
        notices += header_notices(joined, cells, lines)
    names, doubled = unique_names(joined, lines)
    first = body[0].line if body else (header[-1].last_line + 1 if header else 1)
    return Layout(width, names, units, first, lines, notices=notices + doubled)
