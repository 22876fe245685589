"""What a dataset looks like, before anything is learnt from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

import pandas as pd
from pandas.api import types

from learning.reading import read_table

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
    """Read a CSV file and describe it; raises `UnreadableData` where it is none."""
    table = read_table(source)
    frame = table.frame
    return DatasetProfile(
        row_count=len(frame),
        column_count=len(frame.columns),
        size_bytes=table.size_bytes,
        columns=tuple(_described(frame[name]) for name in frame.columns),
    )


def _described(column: pd.Series) -> ColumnProfile:
    missing = float(column.isna().mean()) if len(column) else 0.0
    return ColumnProfile(str(column.name), _type_of(column.dropna()), missing)


def _type_of(known: pd.Series) -> ColumnType:
    if known.empty:
        return "empty"
    # A missing neighbour makes whole numbers floats and booleans objects.
    natural = known.infer_objects()
    if types.is_bool_dtype(natural):
        return "boolean"
    if not types.is_numeric_dtype(natural):
        return "text"
    return "integer" if (natural % 1 == 0).all() else "decimal"
