"""The different values of one column, how often each occurs, and on which line first."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Different values by which a column's type is found; of all columns together, see `limit`.
MAX_DISTINCT = 1_500
ALL_DISTINCT = 2_000_000  # values kept of a whole table: some 200 MB at worst


def limit(columns: int) -> int:
    """Return how many different values are kept of each of so many columns."""
    return max(200, min(MAX_DISTINCT, ALL_DISTINCT // max(1, columns)))


@dataclass(slots=True)
class Tally:
    """Values without blanks around them, in the order of their first lines; "" is not one.

    `distinct` is how many different values the rows have, of which `values` are the first;
    `complete` says that they are all.
    """

    values: list[str]
    counts: NDArray[np.int64]
    lines: NDArray[np.int64]
    blank: int
    rows: int
    distinct: int
    complete: bool = True

    @property
    def known(self) -> int:
        """How many cells of the rows have a value."""
        return self.rows - self.blank


def trimmed(cells: pa.StringArray) -> pa.StringArray:
    """Return cells without blanks around them, also without those that no one sees."""
    return pc.utf8_trim(pc.utf8_trim_whitespace(cells), "\ufeff\u200b\u200e\u00a0 \t")


def tally(cells: pa.StringArray, lines: NDArray[np.int64], most: int) -> Tally:
    """Count the values of a column."""
    encoded = cells.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    clean = trimmed(encoded.dictionary).dictionary_encode()
    codes = clean.indices.to_numpy(zero_copy_only=False)[codes]
    size = len(clean.dictionary)
    counts = np.bincount(codes, minlength=size)
    first = np.zeros(size, dtype=np.int64)
    first[codes[::-1]] = lines[::-1]
    blank = pc.index(clean.dictionary, "").as_py()
    keep = np.ones(size, dtype=bool)
    if blank >= 0:
        keep[blank] = False
    chosen = np.flatnonzero(keep)[:most]
    values = clean.dictionary.take(pa.array(chosen)).to_pylist()
    return Tally(
        values,
        counts[chosen],
        first[chosen],
        blank=int(counts[blank]) if blank >= 0 else 0,
        rows=len(cells),
        distinct=size - (blank >= 0),
        complete=size - (blank >= 0) <= most,
    )


def merged(first: Tally, other: Tally) -> Tally:
    """Return a tally with the values of both; rows and blanks are those of the first."""
    place = {value: i for i, value in enumerate(first.values)}
    new = [i for i, value in enumerate(other.values) if value not in place]
    counts = first.counts.copy()
    for i, value in enumerate(other.values):
        if value in place:
            counts[place[value]] += other.counts[i]
    return Tally(
        first.values + [other.values[i] for i in new],
        np.concatenate([counts, other.counts[new]]),
        np.concatenate([first.lines, other.lines[new]]),
        blank=first.blank,
        rows=first.rows,
        distinct=first.distinct + len(new),
        complete=first.complete,
    )


def with_values(first: Tally, other: Tally) -> Tally:
    """Return a tally that also has the values of other rows; counts stay as they are."""
    known = set(first.values)
    new = [i for i, value in enumerate(other.values) if value not in known]
    return replace(
        first,
        values=first.values + [other.values[i] for i in new],
        counts=np.concatenate([first.counts, other.counts[new]]),
        lines=np.concatenate([first.lines, other.lines[new]]),
    )
