"""A last row that is the sum of all above it, and tables in which there is nothing to sum."""

import numpy as np
import pytest

from learning.rows.sums import last_row_is_sum

NAN = float("nan")
# The columns of a table, and whether its last row is their sum.
TABLES = {
    "sums": ([[1, 2, 3, 6], [10, 20, 30, 60]], True),
    "no sums": ([[1, 2, 3, 7], [10, 20, 30, 60]], False),
    "empty above the last row": ([[NAN, NAN, NAN, 6], [NAN, NAN, NAN, 60]], False),
    "one column is empty above the last row": ([[NAN, NAN, NAN, 6], [1, 2, 3, 6]], False),
}


@pytest.mark.parametrize(("columns", "is_sum"), TABLES.values(), ids=TABLES)
def test_the_last_row_is_a_sum_or_not(columns: list[list[float]], is_sum: bool) -> None:
    assert last_row_is_sum([np.array(column) for column in columns]) is is_sum
