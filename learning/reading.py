"""A person's CSV file, as a table."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from learning.errors import UnreadableData

MAX_COLUMNS = 2_000


@dataclass(frozen=True, slots=True)
class Table:
    """What was in the file: the rows, and its size in bytes."""

    frame: pd.DataFrame
    size_bytes: int


def read_table(source: BinaryIO | Path) -> Table:
    """Read a CSV file (UTF-8; separated by comma, semicolon, tab or bar) whole.

    Raises `UnreadableData` for content that is no such file, or has more than
    `MAX_COLUMNS` columns. Errors of the disk or network (`OSError`) are not caught.
    """
    data = source.read_bytes() if isinstance(source, Path) else source.read()
    if b"\0" in data:
        raise UnreadableData(
            "The file is not a text file. Export it as CSV first (in Excel: Save as, 'CSV UTF-8')."
        )
    try:
        return Table(_parsed(data), len(data))
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
        raise UnreadableData(_explained(error)) from error


def _parsed(data: bytes) -> pd.DataFrame:
    separator = _separator(data)
    # Two lines without a header first: pandas would silently take a first value too many for a
    # row's label, and a table too wide would fill the memory.
    top = pd.read_csv(BytesIO(data), sep=separator, skipinitialspace=True, header=None, nrows=2)
    _refuse_too_wide(len(top.columns))
    return pd.read_csv(BytesIO(data), sep=separator, skipinitialspace=True, low_memory=False)


def _separator(data: bytes) -> str:
    header = data.lstrip().split(b"\n", 1)[0].decode("utf-8", errors="replace")
    return next((mark for mark in ",;\t|" if mark in header), ",")


def _refuse_too_wide(columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise UnreadableData(
            f"The file has {columns:,} columns; up to {MAX_COLUMNS:,} are possible. "
            "Remove columns that are not needed."
        )


def _explained(error: pd.errors.ParserError) -> str:
    # The wording is that of pandas/_libs/src/parser/tokenizer.c.
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
