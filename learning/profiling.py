"""Describes a dataset column by column, before a model is trained on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

import pandas as pd
from pandas.api import types

from learning.dataset import read_dataset

ColumnType: TypeAlias = Literal["integer", "decimal", "boolean", "text", "empty"]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column; `missing_share` is the share of rows without a value, 0 to 1."""

    name: str
    dtype: ColumnType
    missing_share: float


@dataclass(frozen=True, slots=True)
class DatasetProfile:
    """A whole file; `row_count` does not count the line of column names."""

    row_count: int
    column_count: int
    size_bytes: int
    columns: tuple[ColumnProfile, ...]


def profile(source: BinaryIO | Path) -> DatasetProfile:
    """Read a CSV file and describe its columns. Raises `UnreadableData`."""
    dataset = read_dataset(source)
    frame = dataset.frame
    return DatasetProfile(
        row_count=len(frame),
        column_count=len(frame.columns),
        size_bytes=dataset.size_bytes,
        columns=tuple(_profile_column(frame[name]) for name in frame.columns),
    )


def _profile_column(column: pd.Series) -> ColumnProfile:
    missing = float(column.isna().mean()) if len(column) else 0.0
    return ColumnProfile(str(column.name), _infer_type(column.dropna()), missing)


def _infer_type(known: pd.Series) -> ColumnType:
    if known.empty:
        return "empty"
    # pandas reads whole numbers as floats, and booleans as objects, where one is missing.
    natural = known.infer_objects()
    if types.is_bool_dtype(natural):
        return "boolean"
    if not types.is_numeric_dtype(natural):
        return "text"
    return "integer" if (natural % 1 == 0).all() else "decimal"
