"""Which of the first rows are the header: none, one line, or several."""

import itertools
from collections.abc import Sequence

from learning.files.names import is_technical_line, is_unit_line
from learning.files.rows import Row, is_marker, is_typed

JUDGED_ROWS = 300
MAX_HEADER_LINES = 6
TYPED_SHARE = 0.7  # of a column's cells, from which it is one of numbers, dates or times
LONGEST_PROSE = 60  # characters; what is longer above the names is a title or a note


def typed_columns(rows: Sequence[Row], width: int) -> list[bool]:
    """Say of each column whether most of its cells look like numbers, dates or times."""
    typed = []
    judged = rows[:JUDGED_ROWS]
    for j in range(width):
        cells = [row.cells[j] for row in judged if j < len(row.cells)]
        known = [cell for cell in cells if not is_marker(cell)]
        typed.append(bool(known) and sum(map(is_typed, known)) >= TYPED_SHARE * len(known))
    return typed


def count_header_rows(rows: Sequence[Row], width: int) -> int:
    """Return how many of the first rows name the columns instead of holding values."""
    most = min(MAX_HEADER_LINES, len(rows))
    # Later rows first: several header lines must not make the columns look like text.
    body = rows[most + 1 :] if len(rows) > 2 * most else rows[1:]
    typed = typed_columns(body, width)
    count = 0
    while count < most and _is_header(rows, count, typed, body):
        count += 1
    return count


def _is_header(rows: Sequence[Row], index: int, typed: list[bool], body: Sequence[Row]) -> bool:
    cells = [*rows[index].cells, *[""] * len(typed)][: len(typed)]
    if is_technical_line(cells) and index > 0:
        return True
    if not any(typed):
        return index == 0 and not _recurs(cells, body, rows[0])
    pairs = list(zip(cells, typed, strict=True))
    looks_typed = sum(1 for cell, is_one in pairs if is_one and is_typed(cell))
    words = sum(
        1 for cell, is_one in pairs if is_one and not is_marker(cell) and not is_typed(cell)
    )
    if is_unit_line(cells) and index > 0:
        return looks_typed == 0
    if looks_typed == 0 and words > 0:
        # Further lines need more: a stray word in a row of values is no second header.
        return index == 0 or words >= max(1, sum(typed) // 2) or _is_group_above(rows, index, typed)
    if index == 0 and looks_typed and words == 0:
        return _is_progression(cells, typed, body) and not _recurs(cells, body, rows[0])
    if index == 0 and words > looks_typed and not _recurs(cells, body, rows[0]):
        return True
    return index == 0 and looks_typed == 0 and _is_group_above(rows, index, typed)


def _is_group_above(rows: Sequence[Row], index: int, typed: list[bool]) -> bool:
    """Whether the row below has names too, so that this one holds names of groups."""
    if index + 1 >= len(rows):
        return False
    below = [*rows[index + 1].cells, *[""] * len(typed)][: len(typed)]
    words = [not is_marker(cell) and not is_typed(cell) for cell in below]
    return sum(w for w, is_one in zip(words, typed, strict=True) if is_one) >= max(
        1, sum(typed) // 2
    )


def _is_progression(cells: list[str], typed: list[bool], body: Sequence[Row]) -> bool:
    """Whether names are years or numbers in steps, as over one quantity in many columns."""
    names = [cell.strip() for cell, is_one in zip(cells, typed, strict=True) if is_one]
    if len(names) < 2 or not all(name.isdigit() for name in names):
        return False
    numbers = [int(name) for name in names]
    # Few numbers in steps are values as likely, unless they are years.
    years = all(map(_is_year, numbers))
    if len(names) < 5 and not years:
        return False
    steps = {b - a for a, b in itertools.pairwise(numbers)}
    if len(steps) != 1 or steps == {0} or not body:
        return False
    first = [cell.strip() for cell, is_one in zip(body[0].cells, typed, strict=False) if is_one]
    if not all(cell.isdigit() for cell in first):
        return True
    values = [int(cell) for cell in first]
    if years:
        return not all(map(_is_year, values))
    return {b - a for a, b in itertools.pairwise(values)} != steps


def _is_year(number: int) -> bool:
    return 1900 <= number <= 2100


def _recurs(cells: list[str], body: Sequence[Row], own: Row) -> bool:
    """Whether a cell of the first row occurs below it in its own column, as a value would."""
    for j, cell in enumerate(cells):
        text = cell.strip()
        if text and any(
            row is not own and row.cells != own.cells and j < len(row.cells)
            and row.cells[j].strip() == text
            for row in body[: JUDGED_ROWS * 4]
        ):  # fmt: skip
            return True
    return False
