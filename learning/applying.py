"""Applies a frozen schema to rows: those of a file for training, those given for prediction."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from learning.columns.frame import frame_of, joined
from learning.columns.rows_given import values_given
from learning.errors import MissingColumns, listed
from learning.files.chunk import Chunk
from learning.files.table import reopen
from learning.files.unpacking import MAX_UNPACKED
from learning.rows.reading import records
from learning.schema.column import Column
from learning.schema.notice import Notice
from learning.schema.schema import Schema


@dataclass(frozen=True, slots=True)
class Applied:
    """Typed values, and what is to be said about single rows of them."""

    frame: pd.DataFrame
    notices: tuple[Notice, ...]


def read(
    source: BinaryIO | Path,
    schema: Schema,
    columns: Sequence[Column] | None = None,
    max_bytes: int = MAX_UNPACKED,
    max_rows: int | None = None,
) -> pd.DataFrame:
    """Read a file by its schema, chunk by chunk; nothing is guessed again.

    Returns the `columns` asked for (all, if none are named), typed, indexed by line; of a long
    file no more than about `max_rows`.
    """
    wanted = schema.columns if columns is None else columns
    fill = [column.position for column in schema.columns if column.fill_down]
    with ExitStack() as opened:
        reader = reopen(source, schema.source, opened, max_bytes)
        chunks = records(reader.chunks(), schema.source.left_out, fill)
        return frame_of(chunks if max_rows is None else _first(chunks, max_rows), wanted)


def _first(chunks: Iterator[Chunk], rows: int) -> Iterator[Chunk]:
    for chunk in chunks:
        yield chunk.take(np.arange(len(chunk)) < rows)
        rows -= len(chunk)
        if rows <= 0:
            return


def transform(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]], columns: Sequence[Column]
) -> Applied:
    """Return given rows as values by the schema's columns.

    Columns are found by name, in any order; blanks around a name do not matter. Others are
    ignored with a notice. Raises `MissingColumns` where one is absent.
    """
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), dtype=object)
    if not isinstance(rows, pd.DataFrame) and not rows:
        table = pd.DataFrame({column.name: [] for column in columns}, dtype=object)
    names = {str(name).strip(): name for name in table.columns}
    missing = [column.name for column in columns if column.name.strip() not in names]
    if missing:
        raise MissingColumns(
            f"The rows lack columns that the model learnt from: {listed(missing)}. "
            "Add them; their values may be empty."
        )
    notices = []
    extra = names.keys() - {column.name.strip() for column in columns}
    if extra:
        message = f"Ignored, since the model did not learn from them: {listed(sorted(extra))}."
        notices.append(Notice("extra_columns", message))
    data = {}
    for column in columns:
        cells = table[names[column.name.strip()]]
        values, said = values_given(cells, column)
        data[column.name] = pd.Series(values, index=table.index)
        notices += said
    frame = joined(pd.DataFrame(data, index=table.index), columns)
    return Applied(frame, tuple(notices))
