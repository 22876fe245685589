"""The first rows of a text file, each with its lines, and what a cell looks like at a glance."""

import csv
import re
from dataclasses import dataclass

csv.field_size_limit(1 << 24)  # characters: a cell beyond 131,072 is unusual, but no error

LINE_END = re.compile(r"\r\n|\r|\n")
# Rough, for finding headers and delimiters only; columns/ decides what a cell means.
CURRENCY = r"(?:[€$£¥₹₽]|[A-Z]{1,3}\$|EUR|USD|GBP|CHF|CZK|PLN|HUF|Kč|zł|kr\.?)"
NUMBER = re.compile(
    rf"^{CURRENCY}?\s*[<>~≤≥±(]?\s*[+\-−–]?\s*{CURRENCY}?\s*"
    r"(?:\d[\d.,'’ \u00a0\u2009\u202f]*|[.,]\d+)"
    rf"(?:[eE][+\-]?\d+)?\)?\s*(?:%|‰|{CURRENCY}|[^\W\d_]{{1,3}}[²³]?|°[CF]?|[*#†‡]+|\+)?"
    r"(?:\s*[\[(].*[\])])?$"
)
DATE = re.compile(
    r"^\d{1,4}[-/.]\s?\d{1,2}(?:[-/.]\s?\d{1,4})?(?:[T ]\s*\d{1,2}:\d{2}.*)?$"
    r"|^\d{1,3}:\d{2}(?::\d{2})?(?:[.,]\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?$|^\d{4}年"
    r"|^\d{1,2}[-. ]+[^\W\d_]{3,9}\.?[-., ]+\d{2,4}|^[^\W\d_]{3,9}\.? \d{1,2},? \d{4}"
)
MARKERS = frozenset(
    "- -- --- – — . .. ... … : * ** ? ?? x / \\ na n/a n.a. n.a #n/a nan null none nil nd n.d. n/d "
    "n/k nk k.a. k.a missing unknown (null) (blank) #div/0! #value! #ref! inf -inf".split()
)
LONGEST_TYPED = 60  # characters of a number or date, with unit and interval
RULE = re.compile(r"^[\s\-=_+:|.~*#─━]*$")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, and its first and last line, counted from 1."""

    line: int
    last_line: int
    cells: list[str]

    @property
    def filled(self) -> int:
        """How many cells are not blank."""
        return len([cell for cell in self.cells if cell and not cell.isspace()])


def split_lines(text: str) -> list[str]:
    """Return the lines of a text, whichever way they end, without their ends."""
    lines = LINE_END.split(text)
    return lines[:-1] if lines and not lines[-1] else lines


def split_rows(
    lines: list[str], delimiter: str, quote: str = '"', escape: str = "", start: int = 1
) -> list[Row]:
    """Split lines into rows of cells; a quoted cell may go over several lines."""
    if delimiter == "":
        return [Row(start + i, start + i, [line]) for i, line in enumerate(lines)]
    reader = csv.reader(
        [line.replace("\0", "") + "\n" for line in lines],
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        escapechar=escape or None,
        skipinitialspace=delimiter != "\t",
    )
    rows, before = [], 0
    try:
        for cells in reader:
            rows.append(Row(start + before, start + reader.line_num - 1, cells or [""]))
            before = reader.line_num
    except csv.Error:
        # A cell larger than the limit: the quote before it was never closed.
        return rows
    return rows


def is_number(cell: str) -> bool:
    """Whether a cell looks like a number, also with a unit."""
    return NUMBER.match(cell.strip()) is not None


def is_typed(cell: str) -> bool:
    """Whether a cell looks like a number, a date or a time."""
    text = cell.strip()
    if not text or len(text) > LONGEST_TYPED:
        return False
    if DATE.match(text):
        return True
    return any(map(str.isdigit, text)) and NUMBER.match(text) is not None


def is_marker(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    text = cell.strip().lower()
    return not text or text in MARKERS or set(text) <= set("*-.:–—")
