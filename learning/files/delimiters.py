"""Which character sets the cells of a row apart, judged over all rows and not by the header."""

import itertools
import re
from collections import Counter
from dataclasses import dataclass

from learning.files.rows import Row, is_marker, is_typed, split_rows

# Tried in this order; the rare ones only where no usual one does well.
USUAL = (",", ";", "\t", "|")
RARE = ("\x1f", "\x01", "~", "^", ":", "#", "&", "!", "/", "*", "\x1e")
BLANKS = re.compile(r"[ \t\u00a0]{1,}")
RARE_WEIGHT = 0.6  # they also stand in times, in paths and in prose
BLANKS_WEIGHT = 0.55
LEAST_SCORE = 0.2  # below it, the file is one column
JUDGED_ROWS = 400
SEP = re.compile(r"^\ufeff?\"?sep=(.{1,2})\"?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """`delimiter` is "" for one column and " " for runs of blanks; `quote` "" for none."""

    delimiter: str
    quote: str = '"'
    escape: str = ""


def detect_dialect(lines: list[str]) -> Dialect:
    """Return the dialect in which most rows have equally many cells, of known kinds."""
    declared = SEP.match(lines[0].strip("\r")) if lines else None
    quote, escape = _quote_of(lines)
    if declared:
        mark = {"\\t": "\t"}.get(declared.group(1), declared.group(1)[0])
        # Arrow's parser takes delimiters of one byte.
        if mark.isascii() and not mark.isalnum() and mark not in {'"', " "}:
            return Dialect(mark, quote, escape)
    judged = _spread([line for line in lines if line.strip()])
    text = "\n".join(judged)
    best, found = LEAST_SCORE, ""
    for mark in (*USUAL, *RARE):
        if mark in text:
            weight = 1.0 if mark in USUAL else RARE_WEIGHT
            score = weight * _score(split_rows(judged, mark, quote, escape), mark)
            if score > best:
                best, found = score, mark
    tabbed = ["\t".join(BLANKS.split(line.strip())) for line in judged]
    blanks = BLANKS_WEIGHT * _score(split_rows(tabbed, "\t", quote, escape), " ")
    if blanks > best:
        found = " "
    if found == "," and _is_one_column_of_decimals(judged):
        found = ""
    return Dialect(found, quote, escape)


def _spread(lines: list[str]) -> list[str]:
    """The lines to judge by: some from the top, the others from all over."""
    if len(lines) <= JUDGED_ROWS:
        return lines
    step = len(lines) / JUDGED_ROWS
    # Neighbours stay together, so that a quoted cell over several lines stays whole.
    return (
        lines[: JUDGED_ROWS // 2] + lines[int(len(lines) - JUDGED_ROWS / 2) :]
        if step < 2
        else (
            lines[: JUDGED_ROWS // 2] + lines[len(lines) // 2 : len(lines) // 2 + JUDGED_ROWS // 2]
        )
    )


def _score(rows: list[Row], mark: str) -> float:
    """How consistent the widths are, times how much the cells look like values."""
    full = [row for row in rows if row.filled]
    widths = Counter(len(row.cells) for row in full if len(row.cells) > 1)
    if not widths:
        return 0.0
    # Titles and notes have no delimiter; they must not speak against one that the rows have.
    width, count = max(widths.items(), key=lambda item: item[1] * (item[0] - 1) / item[0])
    several = sum(widths.values())
    alone = len(full) - several
    consistency = count / (several + alone * (0.5 if several > alone else 1.0))
    # Several tables in one file have several widths, but neighbours have the same.
    alike = sum(len(a.cells) == len(b.cells) > 1 for a, b in itertools.pairwise(full))
    consistency = max(consistency, 0.9 * alike / max(1, len(full) - 1))
    cells = [cell for row in full if len(row.cells) == width for cell in row.cells]
    kinds = sum(_looks_like_value(cell, mark) for cell in cells[:4000]) / min(len(cells), 4000)
    return consistency**2 * kinds * (width - 0.75) / width


def _looks_like_value(cell: str, mark: str) -> float:
    text = cell.strip()
    if is_marker(text) or is_typed(text):
        return 1.0
    others = sum(1 for other in USUAL if other != mark and other in text)
    if others == 0:
        return 0.9
    return 0.45 if re.search(r"[,;|] ", text) else 0.1


def _quote_of(lines: list[str]) -> tuple[str, str]:
    text = "\n".join(lines[:JUDGED_ROWS])
    double = len(re.findall(r"(?m)(?:^|[,;\t| ])\"|\"(?:$|[,;\t| ])", text))
    single = len(re.findall(r"(?m)(?:^|[,;\t|])'[^'\n]*'(?=$|[,;\t|\r])", text))
    escape = "\\" if re.search(r'[^\\,;\t|]\\"', text) else ""
    if double == 0 and single >= max(2, len(lines[:JUDGED_ROWS]) // 2):
        return "'", escape
    return '"', escape


def _is_one_column_of_decimals(lines: list[str]) -> bool:
    """Whether `5,1` under a header without a comma is one number, not two."""
    values = lines[1:]
    return (
        "," not in lines[0]
        and not is_typed(lines[0])
        and bool(values)
        and all(re.fullmatch(r"\s*[+-]?\d+,\d+\s*", line) for line in values)
    )
