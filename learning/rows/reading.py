"""The records of a file by its schema: without the lines left out, keys filled down."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow.compute as pc

from learning.files.chunk import Chunk
from learning.rows.fill_down import filled_down


def records(
    chunks: Iterable[Chunk], left_out: Iterable[int], fill_down: Iterable[int] = ()
) -> Iterator[Chunk]:
    """Yield chunks without blank rows and without the lines `left_out`."""
    lines = np.array(sorted(left_out), dtype=np.int64)
    above = dict.fromkeys(fill_down, "")
    for chunk in chunks:
        kept = without_blank_rows(chunk)
        if len(lines):
            kept = kept.take(~np.isin(kept.lines, lines))
        for j in above:
            kept.cells[j], above[j] = filled_down(kept.cells[j], above[j])
        yield kept


def without_blank_rows(chunk: Chunk) -> Chunk:
    """Return the rows of a chunk that have a cell with something in it."""
    if len(chunk) == 0:
        return chunk
    blank = np.ones(len(chunk), dtype=bool)
    for column in chunk.cells:
        # Most tables have no blank rows: the first columns tell.
        blank &= pc.equal(column, "").to_numpy(zero_copy_only=False)
        if not blank.any():
            return chunk
    for column in chunk.cells:
        rest = column.filter(blank)
        if not pc.all(pc.equal(pc.utf8_trim_whitespace(rest), "")).as_py():
            return chunk
    return chunk.take(~blank)
