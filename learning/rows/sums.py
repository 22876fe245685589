"""Rows that are the sum of others, found by calculating and not by their words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_ROWS = 3_000  # each row is compared with all runs before and behind it
MIN_COLUMNS = 2  # that must all add up
MIN_RUN = 2  # rows that are summed; with two columns of small numbers, three
TOLERANCE = 1e-6  # relative: sums of rounded numbers are off by a little

Matrix = NDArray[np.float64]


def last_row_is_sum(numbers: Sequence[Matrix]) -> bool:
    """Whether the last row holds the sum (or mean) of all rows above, in every column."""
    # A column that is empty above its last row has nothing that could be summed.
    useful = [
        c for c in numbers if len(c) > 3 and not np.isnan(c[-1]) and not np.isnan(c[:-1]).all()
    ]
    if not useful:
        return False
    sums = [_close(c[-1], np.nansum(c[:-1])) and np.nansum(np.abs(c[:-1])) > 0 for c in useful]
    means = [_close(c[-1], np.nanmean(c[:-1])) and np.nanstd(c[:-1]) > 0 for c in useful]
    varied = sum(np.nanstd(c[:-1]) > 0 for c in useful)
    enough = len(useful) >= MIN_COLUMNS or len(useful[0]) > 10
    return (
        bool(enough)
        and bool(varied > 0)
        and (all(sums) or (all(means) and len(useful) >= MIN_COLUMNS))
    )


def sums_of_runs(numbers: Sequence[Matrix]) -> list[int]:
    """Return the rows that are the sum of the rows right above or right below, in all columns."""
    additive = [c for c in numbers if not np.isnan(c).all()]
    if len(additive) < MIN_COLUMNS or not 4 <= len(additive[0]) <= MAX_ROWS:
        return []
    table = np.nan_to_num(np.column_stack(additive))
    weights = np.abs(table).sum(axis=0)
    table = table[:, weights > 0]
    totals = np.vstack([np.zeros(table.shape[1]), np.cumsum(table, axis=0)])
    found = []
    for i in range(len(table)):
        row = table[i]
        if np.count_nonzero(row) < max(MIN_COLUMNS, table.shape[1] // 2):
            continue
        if _sums_up(row, totals[i] - totals[: max(0, i - MIN_RUN + 1)]) or _sums_up(
            row, totals[i + 1 + MIN_RUN :] - totals[i + 1]
        ):
            found.append(i)
    # In a table of small whole numbers, sums happen by chance: then many rows are.
    return found if len(found) <= max(1, len(table) // 4) else []


def _sums_up(row: Matrix, runs: Matrix) -> bool:
    if len(runs) == 0:
        return False
    large = np.abs(row).max() > 20 or row.size > 3
    near = np.abs(runs - row) <= TOLERANCE * np.maximum(1.0, np.abs(row))
    return bool(large and near.all(axis=1).any())


def _close(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b)))
