"""What can only be seen by looking at several columns or rows at once."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pandas as pd

from learning.columns.frame import frame_of
from learning.columns.names import words_of
from learning.errors import listed
from learning.files.chunk import Chunk
from learning.schema.column import Column
from learning.schema.notice import Notice

LOOKED_AT = 20_000  # rows
MIN_ROWS = 10
MIN_WIDE = 5  # columns of numbers that may be one quantity
SERIES = re.compile(r"^(?P<before>\D*?)[ _\-]?(?P<number>\d{1,4})(?P<after>\D*)$")
MONTHS = frozenset(
    "jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august "
    "september october november december".split()
)
WELL = re.compile(r"^[A-P]0?\d{1,2}$")  # of a plate in a laboratory
SHARE_OF_ZEROS = 0.9


def table_notices(chunk: Chunk, columns: list[Column]) -> tuple[list[Column], list[Notice]]:
    """Return the columns, joined where they belong together, and what is said about them."""
    rows = chunk.take(np.arange(len(chunk)) < LOOKED_AT)
    columns, notices = _join_dates(columns)
    if len(rows) < MIN_ROWS:
        return columns, notices
    numbers = [c for c in columns if c.type == "number"]
    frame = frame_of([rows], numbers)
    notices += _duplicates(rows, columns)
    notices += _one_quantity(numbers, columns)
    notices += _empty_rows(frame)
    notices += _counters(frame, numbers)
    return columns, notices


def _join_dates(columns: list[Column]) -> tuple[list[Column], list[Notice]]:
    """Join a date with the time of day beside it, and a year with its month and day."""
    notices = []
    joined = list(columns)
    for i, (column, beside) in enumerate(itertools.pairwise(columns)):
        is_time = beside.type == "number" and beside.style in {"clock", "hhmm"}
        if column.type == "date" and column.question is None and is_time:
            joined[i] = replace(column, joined=(beside.name,))
            notices.append(_joined(column.name, [beside.name]))
    by_word = {word: c for c in columns for word in [" ".join(words_of(c.name))]}
    year, month, day = (_part(by_word, words) for words in (("year", "jahr", "rok"),
                        ("month", "monat", "měsíc", "mesic"), ("day", "tag", "den")))  # fmt: skip
    if year and month and _is_year(year) and _within(month, 1, 12):
        parts = [month.name, *([day.name] if day and _within(day, 1, 31) else [])]
        place = joined.index(year)
        joined[place] = replace(year, type="date", format="%Y", joined=tuple(parts))
        notices.append(_joined(year.name, parts))
    return joined, notices


def _part(by_word: dict[str, Column], words: tuple[str, ...]) -> Column | None:
    found = next((by_word[word] for word in words if word in by_word), None)
    return found if found is not None and found.type == "number" else None


def _is_year(column: Column) -> bool:
    return _within(column, 1800, 2200) and all(each.isdigit() for each in column.examples)


def _within(column: Column, low: float, high: float) -> bool:
    if column.low is None or column.high is None:
        return False
    return low <= column.low <= column.high <= high


def _joined(name: str, parts: list[str]) -> Notice:
    others = listed(f"'{part}'" for part in parts)
    message = f"'{name}' and {others} were joined to one time."
    return Notice("joined", message, column=name)


def _duplicates(rows: Chunk, columns: list[Column]) -> list[Notice]:
    """Rows that are the same in all but their ids."""
    kept = [c.position for c in columns if c.type not in {"id", "empty", "constant"}]
    if not kept:
        return []
    codes = {j: rows.cells[j].dictionary_encode().indices.to_numpy() for j in kept}
    doubled = pd.DataFrame(codes).duplicated()
    count = int(doubled.sum())
    varied = len(kept) >= 2 and count < 0.9 * len(rows)
    if count == 0 or not varied:
        return []
    lines = tuple(int(line) for line in rows.lines[doubled.to_numpy()][:20])
    what = "1 row is" if count == 1 else f"{count:,} rows are"
    message = (
        f"{what} the same as an earlier one. They were kept; a random split may test a model on "
        "rows that it was trained on."
    )
    return [Notice("duplicates", message, lines=lines)]


def _one_quantity(numbers: list[Column], columns: list[Column]) -> list[Notice]:
    """One quantity over many columns: years, months, numbered ones, wells of a plate."""
    # Names that we gave by position say nothing.
    series = _series([c.name for c in numbers if not c.name.startswith("column ")])
    if len(series) < MIN_WIDE:
        return []
    rest = len([c for c in columns if c.type not in {"empty", "constant"}]) - len(series)
    what = "The table is a matrix: it" if rest <= 1 else "The table"
    message = (
        f"{what} has one quantity over {len(series)} columns, '{series[0]}' to '{series[-1]}'. "
        "For most questions it should be one column, with a row for each value."
    )
    return [Notice("one_quantity", message, column=series[0])]


def _series(names: list[str]) -> list[str]:
    wells = [name for name in names if WELL.match(name)]
    months = [name for name in names if name.casefold() in MONTHS]
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name in names:
        match = SERIES.match(name)
        if match:
            key = (match["before"], match["after"])
            groups.setdefault(key, []).append((int(match["number"]), name))
    numbered = max(groups.values(), key=len, default=[])
    steps = {b - a for (a, _), (b, _) in itertools.pairwise(numbered)}
    found = [name for _, name in numbered] if len(steps) == 1 and steps != {0} else []
    return max(wells, months, found, key=len)


def _empty_rows(frame: pd.DataFrame) -> list[Notice]:
    """A number that stands where its neighbours have none: it may mean that there is none."""
    if len(frame.columns) < 3:
        return []
    blank = frame.isna() | (frame == 0)
    notices = []
    for name in frame.columns:
        others = blank.drop(columns=name).all(axis=1)
        values = frame.loc[others, name].dropna()
        if not 3 <= len(values) <= len(frame) // 2 or not 0.9 * others.sum() <= len(values):
            continue
        common = values.mode().iloc[0]
        if (values == common).mean() >= SHARE_OF_ZEROS and frame[name].nunique() > 2:
            message = (
                f"In '{name}', {common:g} stands in {len(values):,} rows whose other numbers are "
                "blank or 0: it may mean that there is no value."
            )
            lines = tuple(int(line) for line in values.index[:20])
            notices.append(Notice("stands_for_none", message, column=str(name), lines=lines))
    return notices[:5]


def _counters(frame: pd.DataFrame, numbers: list[Column]) -> list[Notice]:
    notices = []
    for column in numbers:
        values = frame[column.name].dropna().to_numpy()
        if len(values) < 20 or column.style != "plain":
            continue
        steps = np.diff(values)
        if (steps >= 0).all() and (steps > 0).mean() > 0.5:
            message = (
                f"'{column.name}' only rises from row to row, like a counter or a time: rows in "
                "such an order should be split by time."
            )
            notices.append(Notice("counter", message, column=column.name))
    return notices[:5]
