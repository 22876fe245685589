"""Parquet: its columns have types, which are written as text that means the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from learning.errors import UnreadableData, listed
from learning.files.chunk import Chunk
from learning.files.delimited import Misfit
from learning.files.names import squeezed, unique_names
from learning.files.table import Table
from learning.files.unpacking import Unpacked
from learning.schema.notice import Notice
from learning.schema.schema import Source

CHUNK_ROWS = 100_000
MAX_COLUMNS = 2_000
DAMAGED = "The file is no Parquet file that can be read, or is damaged. Write it again."


@dataclass(slots=True)
class ParquetReader:
    """Yields the rows of a file; line 1 is the first row."""

    file: BinaryIO
    misfits: list[Misfit] = field(default_factory=list)

    def chunks(self) -> Iterator[Chunk]:
        """Yield all rows, each column as text."""
        start = 1
        try:
            for batch in pq.ParquetFile(self.file).iter_batches(CHUNK_ROWS):
                lines = np.arange(start, start + len(batch), dtype=np.int64)
                start += len(batch)
                yield Chunk(lines, [_as_text(column) for column in batch.columns])
        except (pa.ArrowException, OSError) as error:
            raise UnreadableData(DAMAGED) from error


def open_parquet(unpacked: Unpacked) -> Table:
    """Open a file. Raises `UnreadableData` where columns are nested, and names them."""
    size = unpacked.file.seek(0, 2)
    unpacked.file.seek(0)
    try:
        fields = list(pq.ParquetFile(unpacked.file).schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableData(DAMAGED) from error
    nested = [f.name for f in fields if pa.types.is_nested(f.type)]
    if nested:
        raise UnreadableData(
            f"The columns {listed(nested)} are nested: they hold lists or records, not values. "
            "Leave them out, or give each of their values a column."
        )
    if not fields or len(fields) > MAX_COLUMNS:
        raise UnreadableData(
            f"The file has {len(fields):,} columns; 1 to {MAX_COLUMNS:,} are read."
        )
    names, notices = unique_names([squeezed(f.name) for f in fields], ())
    native = frozenset(
        j
        for j, f in enumerate(fields)
        if pa.types.is_floating(f.type)
        or pa.types.is_integer(f.type)
        or pa.types.is_decimal(f.type)
    )
    source = Source(
        kind="parquet", packed=unpacked.packed, width=len(names), names=tuple(names), delimiter=""
    )
    found = [Notice("format", "The file was read as Parquet."), *notices]
    reader = ParquetReader(unpacked.file)
    return Table(unpacked.file, source, reader, size, native=native, notices=found)


def _as_text(column: pa.Array) -> pa.StringArray:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    elif pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    elif pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = pa.array([None] * len(column), pa.string())
    return pc.fill_null(column.cast(pa.string(), safe=False), "")
