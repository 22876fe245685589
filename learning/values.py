"""Cells of a table, read as numbers or as text; the same when training and later."""

from math import nan

import numpy as np
import pandas as pd

# Trees keep features in 32 bits, and errors are squared: both stay finite up to here.
LARGEST = 1e30


def numbers(column: pd.Series) -> pd.Series:
    """Return the column as float64; what is no number, or beyond 64 bits, is NaN."""
    if pd.api.types.is_float_dtype(column) or pd.api.types.is_integer_dtype(column):
        return column.astype("float64")
    return column.astype(object).map(_number).astype("float64")


def within_bounds(column: pd.Series) -> pd.Series:
    """Return float64 numbers with those beyond ±`LARGEST`, infinity too, as NaN."""
    return column.where(column.abs() <= LARGEST)


def texts(column: pd.Series) -> pd.Series:
    """Return the column as text as a person writes it, "" where a value is missing."""
    return column.astype(object).where(column.notna(), "").map(_text).astype(object)


def _number(value: object) -> float:
    if isinstance(value, bool | np.bool_):
        return nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return nan


def _text(value: object) -> str:
    # A missing neighbour turns whole numbers into floats: 3 must stay "3".
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
