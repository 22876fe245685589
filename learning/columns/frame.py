"""A table of values by the schema, for models: numbers, dates, labels and texts."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from learning.columns.values import to_labels, to_numbers
from learning.files.chunk import Chunk
from learning.schema.column import Column

SECONDS = "datetime64[s]"


def frame_of(chunks: Iterable[Chunk], columns: Sequence[Column]) -> pd.DataFrame:
    """Return typed columns, indexed by the line each row begins on.

    Numbers are float64, dates datetime64, labels a category, and texts Arrow's strings: in each
    a cell takes a few bytes, where an object of Python takes fifty and more.
    """
    parts: dict[str, list[object]] = {column.name: [] for column in columns}
    lines = []
    for chunk in chunks:
        lines.append(chunk.lines)
        for column in columns:
            parts[column.name].append(_part(column, chunk.cells[column.position]))
    index = np.concatenate(lines) if lines else np.array([], dtype=np.int64)
    data = {column.name: _whole(column, parts[column.name]) for column in columns}
    frame = pd.DataFrame({n: pd.Series(v, index=index) for n, v in data.items()}, index=index)
    return joined(frame, columns)


def joined(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Add times of day to dates, and months and days to years, where they belong together."""
    for column in columns:
        for place, name in enumerate(column.joined):
            if name not in frame or column.name not in frame:
                continue
            part = frame[name].to_numpy(dtype=np.float64)
            dates = frame[column.name].to_numpy().astype(SECONDS)
            if column.format != "%Y":
                frame[column.name] = dates + _steps(part, "s")
            elif place == 0:
                months = dates.astype("datetime64[M]") + _steps(part - 1, "M")
                frame[column.name] = months.astype(SECONDS)
            else:
                frame[column.name] = dates + _steps((part - 1) * 86_400, "s")
    return frame


def _steps(numbers: NDArray[Any], unit: str) -> NDArray[Any]:
    known = np.isfinite(numbers)
    steps = np.full(len(numbers), np.timedelta64("NaT"), dtype=f"timedelta64[{unit}]")
    steps[known] = numbers[known].astype(np.int64).astype(f"timedelta64[{unit}]")
    return steps


def _part(column: Column, cells: pa.StringArray) -> object:
    if column.type in {"number", "date"}:
        return to_numbers(column, cells)[0]
    labels = to_labels(column, cells)
    # Each label once per chunk, and a code of four bytes per cell.
    return labels if column.type == "text" else labels.dictionary_encode()


def _whole(column: Column, parts: list[object]) -> object:
    if column.type == "date":
        return seconds_to_dates(np.concatenate(parts) if parts else np.array([]))  # type: ignore[arg-type]
    if column.type == "number":
        return np.concatenate(parts) if parts else np.array([])  # type: ignore[arg-type]
    kind = pa.string() if column.type == "text" else pa.dictionary(pa.int32(), pa.string())
    whole = pa.chunked_array(parts, kind)
    if column.type == "text":
        return pd.arrays.ArrowStringArray(whole)
    return whole.unify_dictionaries().combine_chunks().to_pandas().array


def seconds_to_dates(seconds: NDArray[Any]) -> NDArray[Any]:
    """Return seconds since 1970 as dates; NaN becomes NaT."""
    known = ~np.isnan(seconds)
    dates = np.full(len(seconds), np.datetime64("NaT"), dtype=SECONDS)
    dates[known] = np.floor(seconds[known]).astype(np.int64).astype(SECONDS)
    return dates
