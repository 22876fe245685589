"""Turns a column into numbers or text, the same way for training and for prediction."""

from math import nan

import numpy as np
import pandas as pd

# scikit-learn's trees keep features as float32 (up to 3.4e38), and regression metrics square
# errors in float64 (up to 1.8e308): both stay finite up to this magnitude.
LARGEST_NUMBER = 1e30


def to_numbers(column: pd.Series) -> pd.Series:
    """Return the column as float64; what is no number, or too large for one, is NaN."""
    if pd.api.types.is_float_dtype(column) or pd.api.types.is_integer_dtype(column):
        return column.astype("float64")
    return column.astype(object).map(_number).astype("float64")


def within_bounds(numbers: pd.Series) -> pd.Series:
    """Return float64 numbers with NaN for those beyond ±`LARGEST_NUMBER`, also infinity."""
    return numbers.where(numbers.abs() <= LARGEST_NUMBER)


def to_text(column: pd.Series) -> pd.Series:
    """Return the column as text, as the user wrote it; "" where a value is missing."""
    return column.astype(object).where(column.notna(), "").map(_text).astype(object)


def _number(value: object) -> float:
    # float(True) is 1.0, but a column of yes and no has categories, not quantities.
    if isinstance(value, bool | np.bool_):
        return nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return nan


def _text(value: object) -> str:
    # pandas reads a column of whole numbers as floats where one is missing: 3.0 must stay "3".
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
