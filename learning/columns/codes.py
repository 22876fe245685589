"""Numbers that name something instead of counting it: postal codes, accounts, row numbers."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from learning.columns.context import Context, Finding
from learning.columns.names import may_say_code, says_code, says_row
from learning.columns.number_column import NumberColumn
from learning.schema.column import Column, ColumnType
from learning.schema.notice import Notice

EXACT = 2**53  # whole numbers beyond are not exact as float64
MIN_ROWS = 10  # by which a rule over all rows is believed
UNIQUE_SHARE = 0.95
CODE_LENGTH = 5  # digits that all of them have, from which they look like codes without a name
CODE_REPEATS = 5  # mean rows of each such value
OWN_NUMBER = "a different number in each row, as its name says"
ROW_COUNT = "it only counts the rows"
MIN_COUNTED = 50  # rows, from which numbers in a row are no measurement
FIRST_ROWS = (0, 1)


def code_reason(context: Context, found: NumberColumn) -> Finding | None:
    """Return a column of codes as ids or categories; None where its numbers are amounts."""
    bodies = [cell.body for cell in found.cells.values()]
    plain = all(
        cell.body.isdigit() and not cell.unit and not cell.negative and cell.kind == "plain"
        and not cell.exponent
        for cell in found.cells.values()
    )  # fmt: skip
    if not plain:
        return None
    lengths = {len(body) for body in bodies}
    if any(body[0] == "0" and len(body) > 1 for body in bodies):
        return _code(context, found, "they begin with zeros")
    if any(int(body) > EXACT for body in bodies):
        return _code(context, found, "they are longer than numbers are exact")
    values = np.array([int(body) for body in bodies], dtype=np.float64)
    unique = _is_unique(context, found)
    if unique and says_row(context.name) | says_code(context.name):
        return _id(context, found, OWN_NUMBER)
    if unique and _counts_rows(values):
        return _id(context, found, ROW_COUNT)
    if says_code(context.name):
        return _code(context, found, "its name says so")
    if may_say_code(context.name) and len(lengths) == 1 and min(lengths) >= CODE_LENGTH - 1:
        return _code(context, found, "its name says so, and all have as many digits")
    repeats = sum(found.counts[text] for text in found.cells) / len(bodies)
    round_numbers = np.mean(values % 50 == 0) > 0.2
    if (
        min(lengths) == max(lengths) >= CODE_LENGTH
        and repeats >= CODE_REPEATS
        and not round_numbers
    ):
        return _code(context, found, f"all have {min(lengths)} digits, and they recur")
    return None


def _is_unique(context: Context, found: NumberColumn) -> bool:
    tally = context.tally
    return tally.rows >= MIN_ROWS and tally.distinct == tally.rows and not found.markers


def _counts_rows(values: NDArray[np.float64]) -> bool:
    """Whether the numbers are 0, 1, 2 … or 1, 2, 3 … down the file."""
    in_order = np.all(np.diff(values) == 1)
    return bool(in_order and values[0] in FIRST_ROWS and len(values) >= MIN_COUNTED)


def _code(context: Context, found: NumberColumn, why: str) -> Finding:
    counts: Mapping[str, int] = found.counts
    known = sum(counts[text] for text in found.cells)
    many = known >= MIN_ROWS and len(found.cells) >= UNIQUE_SHARE * known
    kind: ColumnType = "id" if many else "category"
    name = context.name
    message = (
        f"The numbers in '{name}' were taken for codes, not amounts: {why}. "
        + ("Nearly every row has its own, so they are not learnt from." if many else
           "Each is a category.")
    )  # fmt: skip
    column = Column(name, kind, reason=f"codes: {why}", markers=found.markers)
    return Finding(column, [Notice("code", message, column=name)])


def _id(context: Context, found: NumberColumn, why: str) -> Finding:
    name = context.name
    message = f"The column '{name}' is an id ({why}): it is not learnt from."
    column = Column(name, "id", reason=why, markers=found.markers)
    return Finding(column, [Notice("id", message, column=name)])
