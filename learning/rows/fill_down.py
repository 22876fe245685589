"""Columns whose blank cells mean "as above": the key of a group, written once."""

import itertools
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from learning.files.chunk import Chunk

MIN_BLANK = 0.2  # share of rows without a key
MIN_KEYS = 2
LAST_COLUMN = 3  # keys stand in the first columns


def continued_columns(chunk: Chunk) -> list[int]:
    """Return the leading columns that are to be filled down."""
    if len(chunk) < 4:
        return []
    found: list[int] = []
    for j, column in enumerate(chunk.cells[: min(LAST_COLUMN, len(chunk.cells) - 1)]):
        clean = pc.utf8_trim_whitespace(column)
        filled = pc.not_equal(clean, "").to_numpy(zero_copy_only=False)
        blank = ~filled
        keys = clean.filter(pa.array(filled)).to_pylist()
        changes = all(a != b for a, b in itertools.pairwise(keys))
        starts = filled[0] and blank.mean() >= MIN_BLANK and len(set(keys)) >= MIN_KEYS
        if not (starts and changes and _others_filled(chunk, j, blank)):
            break
        # A number that is seldom blank is missing, not repeated.
        if len(set(keys)) != len(keys) and blank.mean() < 0.5:
            break
        found.append(j)
    return found


def _others_filled(chunk: Chunk, key: int, blank: NDArray[Any]) -> bool:
    """Whether the rows without a key have all else: they are records, not gaps."""
    shares = []
    for column in chunk.cells[key + 1 :]:
        cells = pc.not_equal(column, "").to_numpy(zero_copy_only=False)
        if cells.any():
            shares.append(float(cells[blank].mean()) >= 0.8 * float(cells[~blank].mean()))
    return bool(shares) and all(shares)


def filled_down(column: pa.StringArray, above: str) -> tuple[pa.StringArray, str]:
    """Return a column with blank cells as above, and its last value."""
    clean = pc.utf8_trim_whitespace(column)
    known = pc.if_else(pc.equal(clean, ""), None, clean)
    filled = pc.fill_null(pc.fill_null_forward(known), above)
    last = filled[-1].as_py() if len(filled) else above
    return filled, last
