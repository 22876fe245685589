"""What every format is read as: some rows, as columns of text cells with their lines."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(slots=True)
class Chunk:
    """Rows in the file's order. `lines` are those they begin on; a blank cell is ""."""

    lines: NDArray[np.int64]
    cells: list[pa.StringArray]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    def take(self, keep: NDArray[np.bool_]) -> "Chunk":
        """Return the rows for which `keep` is true."""
        mask = pa.array(keep)
        return Chunk(self.lines[keep], [column.filter(mask) for column in self.cells])


def chunk_of(lines: list[int], rows: list[list[str]], width: int) -> Chunk:
    """Return rows of at least `width` cells as a chunk."""
    columns = [pa.array([row[j] for row in rows], pa.string()) for j in range(width)]
    return Chunk(np.array(lines, dtype=np.int64), columns)
