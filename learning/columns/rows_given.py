"""Rows that a program sends for a prediction, as values by the frozen schema."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from learning.columns.frame import seconds_to_dates
from learning.columns.values import is_missing, to_labels, to_numbers
from learning.errors import shortened
from learning.schema.column import Column
from learning.schema.notice import MAX_LINES, Notice


def values_given(cells: pd.Series, column: Column) -> tuple[object, list[Notice]]:
    """Return a column of values, and what is said about single rows, counted from 1."""
    natural = [_native(value) for value in cells.tolist()]
    if column.type in {"number", "date"}:
        return _numbers(natural, column)
    return _labels(natural, column)


def _native(value: object) -> object:
    """The value as text, or as a number that is one already; None where it is missing."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | float | np.integer | np.floating):
        try:
            number = float(value)
        except OverflowError:
            return str(value)
        return None if np.isnan(number) else value
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return str(value)


def _numbers(values: Sequence[object], column: Column) -> tuple[object, list[Notice]]:
    texts = pa.array([v if isinstance(v, str) else "" for v in values], pa.string())
    numbers, wrong = to_numbers(column, texts)
    numbers = numbers.copy()
    for i, value in enumerate(values):
        if isinstance(value, int | float | np.integer | np.floating):
            numbers[i] = _given_number(value, column)
            wrong[i] = bool(np.isnan(numbers[i])) and not _is_marker(value, column)
        elif isinstance(value, str) and wrong[i] and column.type == "number":
            # A program writes numbers as text in its own notation: only an unambiguous one serves.
            wrong[i] = not is_missing(value.strip(), column.markers)
    notices = _unreadable(values, wrong, column) + _outside(values, numbers, column)
    if column.type == "date":
        return seconds_to_dates(numbers), notices
    return numbers, notices


def _given_number(value: object, column: Column) -> float:
    """A number as it is; in the column's own style where a number is not the value itself."""
    number = float(value)  # type: ignore[arg-type]
    if _is_marker(value, column) or abs(number) > 1e30:
        return np.nan
    if column.style == "hhmm" or column.type == "date":
        text = str(int(number)) if number.is_integer() else str(value)
        return float(to_numbers(column, pa.array([text]))[0][0])
    return number


def _is_marker(value: object, column: Column) -> bool:
    number = float(value)  # type: ignore[arg-type]
    texts = {str(value), str(int(number)) if number.is_integer() else str(number)}
    return bool(texts & set(column.markers))


def _unreadable(values: Sequence[object], wrong: NDArray[Any], column: Column) -> list[Notice]:
    rows = np.flatnonzero(wrong)
    if len(rows) == 0:
        return []
    first = shortened(values[rows[0]])
    message = (
        f"Row {rows[0] + 1}, column '{column.name}': '{first}' is no {column.type} as in the "
        f"training, so it counts as missing{_and_more(len(rows))}."
    )
    return [Notice("not_readable", message, column=column.name, lines=_first(rows))]


def _outside(values: Sequence[object], numbers: NDArray[Any], column: Column) -> list[Notice]:
    if column.low is None or column.high is None:
        return []
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((numbers < column.low) | (numbers > column.high))
    if len(rows) == 0:
        return []
    is_number = column.type == "number"
    range_shown = f"{column.low:g} to {column.high:g}" if is_number else "the dates seen"
    message = (
        f"Row {rows[0] + 1}, column '{column.name}': {shortened(values[rows[0]])} lies outside of "
        f"the training's values ({range_shown}){_and_more(len(rows))}. Such a prediction is a "
        "guess."
    )
    return [Notice("out_of_range", message, column=column.name, lines=_first(rows))]


def _labels(values: Sequence[object], column: Column) -> tuple[object, list[Notice]]:
    texts = pa.array([_label(v) for v in values], pa.string())
    labels = to_labels(column, texts)
    notices = []
    complete = column.type == "category" and column.distinct <= len(column.categories)
    if complete:
        known = {"", *column.categories}
        rows = np.array([i for i, t in enumerate(labels.to_pylist()) if t not in known], dtype=int)
        if len(rows):
            message = (
                f"Row {rows[0] + 1}, column '{column.name}': '{shortened(values[rows[0]])}' did "
                f"not occur in the training, so it counts as other{_and_more(len(rows))}."
            )
            notices.append(Notice("unseen", message, column=column.name, lines=_first(rows)))
    if column.type == "text":
        return pd.array(labels.to_pylist(), dtype="str"), notices
    return labels.dictionary_encode().to_pandas().array, notices


def _label(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _first(rows: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(row) + 1 for row in rows[:MAX_LINES])


def _and_more(count: int) -> str:
    return f"; so it is in {count:,} rows" if count > 1 else ""
