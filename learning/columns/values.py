"""Turns cells into values by the schema: the one place where it is applied.

The profile, a training and a prediction all call `to_values`, so a cell means the same in each.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from learning.columns.clock import seconds_of
from learning.columns.dates import read_date
from learning.columns.markers import is_filler
from learning.columns.number_cell import cell_value, read_cell
from learning.columns.tally import trimmed
from learning.schema.column import Column

# scikit-learn's trees keep features as float32, see learning/conversion.py.
LARGEST = 1e30
PLAIN = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
ISO = "^\\d{4}-\\d{2}-\\d{2}(?:[T ]\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,6})?)?Z?)?$"

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def to_numbers(column: Column, cells: pa.StringArray) -> tuple[Numbers, Flags]:
    """Return float64 (NaN: no value), and which cells have a value that the schema has not.

    Dates are seconds since 1970, times and durations seconds.
    """
    if _is_plain(column) and not column.markers and column.type == "number":
        # Most columns of numbers are nothing else: Arrow reads them at once.
        try:
            numbers = pc.cast(pc.if_else(pc.equal(cells, ""), None, cells), pa.float64())
        except pa.ArrowInvalid:
            pass
        else:
            found = numbers.to_numpy(zero_copy_only=False)
            if (
                np.nanmax(np.abs(found), initial=0.0) <= LARGEST
                and _nans(found) == numbers.null_count
            ):
                return found, np.zeros(len(found), dtype=bool)
    clean = trimmed(cells)
    if column.type == "date":
        return _dates(column, clean)
    if _is_plain(column):
        return _plain(column, clean)
    return _one_by_one(clean, column.markers, lambda text: number_of(column, text))


def number_of(column: Column, text: str) -> float | None:
    """Return the number of one cell that is not blank; None where it is none."""
    if column.style in {"duration", "clock", "hhmm"}:
        return seconds_of(text, column.style)
    cell = read_cell(text)
    if cell is None or (cell.unit and cell.unit not in {*column.units, *column.flags}):
        return None
    if cell.kind != "plain" and column.style != "range":
        return None
    value = cell_value(cell, (column.thousands, column.decimal_mark))
    return value if value is not None and abs(value) <= LARGEST else None


def _nans(numbers: Numbers) -> int:
    return int(np.isnan(numbers).sum())


def _is_plain(column: Column) -> bool:
    special = column.units or column.flags or column.thousands or column.style != "plain"
    return not special and column.decimal_mark == "."


def _plain(column: Column, clean: pa.StringArray) -> tuple[Numbers, Flags]:
    blank = _absent(clean, column.markers)
    filled = pc.if_else(blank, None, clean)
    try:
        numbers = pc.cast(filled, pa.float64())
    except pa.ArrowInvalid:
        fits = pc.match_substring_regex(filled, PLAIN)
        without_plus = pc.replace_substring_regex(
            pc.if_else(fits, filled, None), r"^\+", "", max_replacements=1
        )
        numbers = pc.cast(without_plus, pa.float64())
    found = numbers.to_numpy(zero_copy_only=False)
    present = ~blank.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        found = np.where(np.abs(found) <= LARGEST, found, np.nan)
    failed = present & np.isnan(found)
    if failed.any():
        found = found.copy()
        _read_failed(column, clean, found, failed)
    return found, failed


def _read_failed(column: Column, clean: pa.StringArray, found: Numbers, failed: Flags) -> None:
    """Read what Arrow cannot, such as a sign apart; `failed` becomes what remains."""
    places = np.flatnonzero(failed)
    known: dict[str, float | None] = {}
    for place, text in zip(places.tolist(), clean.take(pa.array(places)).to_pylist(), strict=True):
        if text not in known:
            known[text] = number_of(column, text)
        value = known[text]
        if value is not None:
            found[place], failed[place] = value, False


def _dates(column: Column, clean: pa.StringArray) -> tuple[Numbers, Flags]:
    form = column.format or "%Y-%m-%d"
    if (
        form == "%Y-%m-%d"
        and pc.all(
            pc.match_substring_regex(pc.if_else(_absent(clean, column.markers), None, clean), ISO)
        ).as_py()
    ):
        filled = pc.if_else(_absent(clean, column.markers), None, clean)
        try:
            stamps = pc.cast(pc.replace_substring(filled, "Z", ""), pa.timestamp("us"))
        except pa.ArrowInvalid:
            pass
        else:
            micros = pc.cast(stamps, pa.int64()).cast(pa.float64()).to_numpy(zero_copy_only=False)
            return micros / 1e6, np.zeros(len(clean), dtype=bool)
    return _one_by_one(clean, column.markers, lambda text: date_of(text, form))


def date_of(text: str, form: str) -> float | None:
    """Return the seconds since 1970 of one cell; None where it is no date of that format."""
    found = read_date(text, form)
    return None if found is None else found[0]


def _one_by_one(
    clean: pa.StringArray, markers: Sequence[str], read: Callable[[str], float | None]
) -> tuple[Numbers, Flags]:
    """Read each different value once."""
    encoded = clean.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    absent = {"", *markers}
    numbers = np.full(len(values) + 1, np.nan)
    wrong = np.zeros(len(values) + 1, dtype=bool)
    for i, text in enumerate(values):
        if text in absent:
            continue
        number = read(text)
        if number is None:
            wrong[i] = not is_missing(text, markers)
        else:
            numbers[i] = number
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    return numbers[codes], wrong[codes]


def is_missing(text: str, markers: Sequence[str]) -> bool:
    """Whether a cell says that there is no value, by a marker of the column's own kind."""
    return text == "" or text in markers or (is_filler(text) and any(map(is_filler, markers)))


def _absent(clean: pa.StringArray, markers: Sequence[str]) -> pa.BooleanArray:
    if not markers:
        return pc.equal(clean, "")
    return pc.is_in(clean, value_set=pa.array(["", *markers], pa.string()))


def to_labels(column: Column, cells: pa.StringArray) -> pa.StringArray:
    """Return the text of cells, "" where there is none; spelling by the schema."""
    clean = trimmed(cells)
    if column.blank_is_no:
        return pc.if_else(pc.equal(clean, ""), "no", clean)
    if column.markers:
        clean = pc.if_else(_absent(clean, column.markers), "", clean)
    if not column.fold_case:
        return clean
    encoded = clean.dictionary_encode()
    spelling = {label.casefold(): label for label in reversed(column.categories)}
    labels = [spelling.get(text.casefold(), text) for text in encoded.dictionary.to_pylist()]
    return pa.array(labels, pa.string()).take(encoded.indices)
