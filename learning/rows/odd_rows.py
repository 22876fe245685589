"""Finds rows of a chunk that hold no record, by how they are filled and what they say."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from learning.files.chunk import Chunk
from learning.files.rows import is_marker, is_typed

# Words for sums and means, as a whole cell or at its beginning.
TOTAL_WORDS = (
    "grand total|sub-?total|total|totals|sum|summe|gesamt|gesamtsumme|insgesamt|zwischensumme|"
    "celkem|součet|spolu|mezisoučet|razem|suma|ogółem|łącznie|összesen|итого|всего|сумма|totale|"
    "totaal|totalt|sammanlagt|ukupno|skupaj|overall|average|mean|durchschnitt|mittelwert|průměr|"
    "średnia|moyenne|promedio|media|合計|小計|总计|合计|小计|总数|σ"
)
TOTAL = rf"(?i)^\W*(?:{TOTAL_WORDS})\b[^,;]{{0,30}}$|^\W*(?:合計|小計|总计|合计|小计)"
RULED = r"^\s*[-=_*~─━]{3,}\s*$"
WIDE = 3  # columns, from which one filled cell alone is no record
CHECKED = 2_000  # candidates of a chunk looked at one by one


@dataclass(slots=True)
class OddRows:
    """Lines by what stands on them."""

    lines: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[int, str] = field(default_factory=dict)

    def all(self) -> set[int]:
        """Every line that is no record."""
        return {line for lines in self.lines.values() for line in lines}


def find_odd_rows(
    chunk: Chunk, typed: Sequence[bool], header: Sequence[str], *, is_last: bool
) -> OddRows:
    """Return rows that are drawn, repeat the header, head a section, sum up, or are notes.

    `typed` says which columns hold numbers or dates; notes stand at the end of the last chunk.
    """
    found = OddRows()
    if len(chunk) == 0:
        return found
    filled = _filled(chunk)
    last = _last_record(chunk, filled, typed) if is_last else len(chunk) - 1
    for i in range(last + 1, len(chunk)):
        _add(found, "notes", chunk, i)
    for i in _matching(chunk, RULED)[:CHECKED]:
        cells = _cells(chunk, i)
        if all(re.match(RULED, c.strip()) for c in cells if c.strip()) and i <= last:
            _add(found, "rules", chunk, i)
    for i in _repeated_header(chunk, header):
        _add(found, "header", chunk, i)
    for i in _headings(chunk, filled, last):
        _add(found, "headings", chunk, i)
    for i in _totals(chunk, typed, filled):
        if i <= last:
            _add(found, "totals", chunk, i)
    return found


def _headings(chunk: Chunk, filled: NDArray[np.int64], last: int) -> list[int]:
    """Rows with one cell alone, of words. Where many rows are so, that is how the table is."""
    lone = np.flatnonzero(filled == 1)
    if len(chunk.cells) < WIDE or len(lone) > max(3, len(chunk) // 5):
        return []
    texts = {i: "".join(_cells(chunk, i)).strip() for i in lone[lone <= last].tolist()}
    return [i for i, text in texts.items() if not is_typed(text) and not is_marker(text)]


def _add(found: OddRows, kind: str, chunk: Chunk, row: int) -> None:
    line = int(chunk.lines[row])
    if line not in found.texts:
        found.lines[kind].append(line)
        found.texts[line] = " ".join(filter(None, (c.strip() for c in _cells(chunk, row))))


def _cells(chunk: Chunk, row: int) -> list[str]:
    return [column[row].as_py() for column in chunk.cells]


def _filled(chunk: Chunk) -> NDArray[np.int64]:
    total = np.zeros(len(chunk), dtype=np.int64)
    for column in chunk.cells:
        total += pc.not_equal(column, "").to_numpy(zero_copy_only=False)
    return total


def _matching(chunk: Chunk, pattern: str) -> list[int]:
    """Rows in which one of the first two columns matches."""
    hits = np.zeros(len(chunk), dtype=bool)
    for column in chunk.cells[:2]:
        # A quick look first: hardly any column has such a cell.
        if pc.any(pc.match_substring_regex(column, pattern[:-1])).as_py():
            hits |= matches(column, pattern)
    return np.flatnonzero(hits).tolist()


def matches(column: pa.StringArray, pattern: str) -> NDArray[np.bool_]:
    """Say of each cell whether it matches: each different value is looked at once."""
    encoded = column.dictionary_encode()
    clean = pc.utf8_trim_whitespace(encoded.dictionary)
    found = pc.match_substring_regex(clean, pattern).to_numpy(zero_copy_only=False)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return found[codes] if found.any() else np.zeros(len(column), dtype=bool)


def _repeated_header(chunk: Chunk, header: Sequence[str]) -> list[int]:
    place = next((j for j, name in enumerate(header) if len(name) > 1), None)
    if place is None:
        return []
    same = pc.equal(chunk.cells[place], header[place])
    rows = np.flatnonzero(same.to_numpy(zero_copy_only=False))[:CHECKED]
    return [
        i
        for i in rows.tolist()
        if all(c.strip() == n for c, n in zip(_cells(chunk, i), header, strict=False) if n)
    ]


def _last_record(chunk: Chunk, filled: NDArray[np.int64], typed: Sequence[bool]) -> int:
    """The last row that is no note: a note has words where numbers belong, and few cells."""
    width = len(chunk.cells)
    for i in range(len(chunk) - 1, -1, -1):
        cells = [cell.strip() for cell in _cells(chunk, i)]
        numeric = [cell for cell, is_one in zip(cells, typed, strict=True) if is_one and cell]
        words = [cell for cell in numeric if not is_typed(cell) and not is_marker(cell)]
        lone = filled[i] == 1 and width >= WIDE and not is_typed("".join(cells))
        prose = any(len(cell.split()) > 3 for cell in words)
        ruled = all(re.match(RULED, cell) for cell in cells if cell)
        mostly_words = (
            any(typed) and len(words) == len(numeric) > 0 and (width < WIDE or len(words) > 1)
        )
        if not (lone or prose or ruled or mostly_words) or (i == 0 and not prose):
            return i
        if lone and re.search(TOTAL, "".join(cells)):
            return i
    return -1


def _totals(chunk: Chunk, typed: Sequence[bool], filled: NDArray[np.int64]) -> list[int]:
    """Rows with a word for a sum in a column of words, and with numbers beside it."""
    if not any(typed):
        return []
    rows: list[int] = []
    words = [j for j, is_one in enumerate(typed) if not is_one][:8]
    for j in [*words, *[0][: 0 not in words]]:
        hits = np.flatnonzero(matches(chunk.cells[j], TOTAL))
        # A label that recurs is a category: "total" beside "partial".
        if 0 < len(hits) <= max(3, len(chunk) // 20):
            rows += [i for i in hits.tolist() if filled[i] > 1]
    return sorted(set(rows))
