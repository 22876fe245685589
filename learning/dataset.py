"""Reads a user's CSV file into a data frame."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from learning.errors import UnreadableData

# Wider files are mostly transposed tables, or rows with their separators mixed up; as a data
# frame, which has an overhead per column, they would fill the worker's memory.
MAX_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class Dataset:
    """The rows of a file, and the size of the file in bytes."""

    frame: pd.DataFrame
    size_bytes: int


def read_dataset(source: BinaryIO | Path) -> Dataset:
    """Read a whole CSV file (UTF-8; separated by comma, semicolon, tab or bar).

    Raises `UnreadableData` for content that is no such file, or has more than
    `MAX_COLUMNS` columns. Errors of the disk or network (`OSError`) are not caught.
    """
    data = source.read_bytes() if isinstance(source, Path) else source.read()
    # A NUL byte is valid UTF-8, but only occurs in binary formats and in UTF-16.
    if b"\0" in data:
        raise UnreadableData(
            "The file is not a text file. Export it as CSV first (in Excel: Save as, 'CSV UTF-8')."
        )
    try:
        return Dataset(_parse(data), len(data))
    except UnicodeDecodeError as error:
        raise UnreadableData(
            "The file is not saved as UTF-8 text. Save it again as CSV with the "
            "encoding UTF-8 (in Excel: Save as, 'CSV UTF-8')."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise UnreadableData(
            "The file is empty. It needs a first line with the names of the columns "
            "and one line for each row."
        ) from error
    except pd.errors.ParserError as error:
        raise UnreadableData(_explain(error)) from error


def _parse(data: bytes) -> pd.DataFrame:
    separator = _detect_separator(data)
    # The first two lines are parsed on their own, without a header: otherwise pandas silently
    # takes a surplus first value for a row label, and the width is known before all is in memory.
    top = pd.read_csv(BytesIO(data), sep=separator, skipinitialspace=True, header=None, nrows=2)
    _check_width(len(top.columns))
    # With low_memory pandas infers types chunk by chunk, so that one column may get two.
    return pd.read_csv(BytesIO(data), sep=separator, skipinitialspace=True, low_memory=False)


def _detect_separator(data: bytes) -> str:
    header = data.lstrip().split(b"\n", 1)[0].decode("utf-8", errors="replace")
    return next((mark for mark in ",;\t|" if mark in header), ",")


def _check_width(columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise UnreadableData(
            f"The file has {columns:,} columns; up to {MAX_COLUMNS:,} are possible. "
            "Remove columns that are not needed."
        )


def _explain(error: pd.errors.ParserError) -> str:
    # pandas gives the line only in its message; the wording is from
    # pandas/_libs/src/parser/tokenizer.c.
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if found:
        expected, line, seen = found.groups()
        return (
            f"Line {line} has {seen} values, but the file has {expected} columns. "
            "Correct that line, and put quotes around values that contain a separator."
        )
    return (
        "The file is not a well-formed CSV file, probably because a quote is opened "
        "and never closed. Export it again as CSV."
    )
