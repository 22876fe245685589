"""The target: the column to predict, its problem type and its usable values."""

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from learning.columns.codes import OWN_NUMBER, ROW_COUNT
from learning.columns.markers import MARKERS, is_filler
from learning.errors import TooFewRows, UnknownTarget, UnusableTarget, listed, shortened
from learning.schema.column import Column
from learning.schema.notice import Notice
from learning.schema.schema import Schema

ProblemType: TypeAlias = Literal["classification", "regression"]

MIN_ROWS = 10  # a fifth of them are the test set, and R² is undefined for fewer than 2 rows
MAX_CLASSES = 100  # gradient boosting grows a tree per class in each of up to 1,000 iterations
# Whole numbers with at most so many different values are taken for codes of classes.
MAX_NUMBERED_CLASSES = 5
MAX_DIGITS = 10  # 0 to 9 are codes too, where each occurs about as often as the others
# The test set has a row of every class: with fewer rows a class it would be over a third of all.
MIN_MEAN_ROWS_PER_CLASS = 3
COUNTS = (ROW_COUNT, OWN_NUMBER)
YEARS = (1800, 2100)


@dataclass(frozen=True, slots=True)
class Target:
    """The target value of each row that has one, indexed like the table.

    Values are text for a classification, float64 for a regression.
    """

    problem_type: ProblemType
    values: pd.Series
    notices: tuple[Notice, ...] = ()


def find_target(schema: Schema, name: str) -> Column:
    """Return the column of that name, whatever its blanks and capitals.

    Raises `UnknownTarget`, which gives the nearest names, or `UnusableTarget`.
    """
    exact = schema.column(name)
    if exact is not None:
        return exact
    twin = re.compile(re.escape(name) + r" \(column \d+\)'*")
    doubled = [c.name for c in schema.columns if twin.fullmatch(c.name)]
    if doubled:
        raise UnusableTarget(
            f"The name '{shortened(name)}' stands above {len(doubled)} columns: {listed(doubled)}. "
            "Choose one of them."
        )
    for plain in (_squeezed, _folded):
        alike = [column for column in schema.columns if plain(column.name) == plain(name)]
        if len(alike) == 1:
            return alike[0]
    names = [column.name for column in schema.columns]
    ending = [c for c in schema.columns if _folded(c.name).endswith(f" {_folded(name)}")]
    if len(ending) == 1:
        return ending[0]
    folded = {_folded(each): each for each in names}
    near = [folded[each] for each in get_close_matches(_folded(name), folded, n=3, cutoff=0.6)]
    hint = f" Did you mean {' or '.join(f'{shortened(n)!r}' for n in near)}?" if near else ""
    raise UnknownTarget(
        f"The file has no column '{shortened(name)}'.{hint} Its columns are: {listed(names)}."
    )


def _squeezed(name: str) -> str:
    return re.sub(r"\s+", " ", name.replace("\u00a0", " ")).strip()


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().casefold()


def as_target(column: Column) -> Column:
    """Return a column as it is predicted: numbers that count rows may well be amounts."""
    counts = column.type == "id" and column.reason is not None and column.reason in COUNTS
    return replace(column, type="number") if counts else column


def check_target(column: Column) -> None:
    """Raise `UnusableTarget` for a column that no model can predict, whatever its values."""
    name = column.name
    known = column.rows - column.missing
    if column.rows < MIN_ROWS or 0 < known < MIN_ROWS:
        raise _too_few(known, name)
    if column.question is not None:
        raise UnusableTarget(
            f"A question about the column '{name}' is open, so it cannot be predicted yet. Answer "
            "it first."
        )
    if column.ignore:
        raise UnusableTarget(f"The column '{name}' is left out. Choose another, or include it.")
    if column.type == "empty" or (column.rows and column.missing == column.rows):
        raise UnusableTarget(
            f"The column '{name}' has no values. Choose another column to predict."
        )
    if column.type == "date":
        raise UnusableTarget(
            f"The column '{name}' holds dates, which cannot be predicted. Choose another column."
        )


def read_target(
    labels: pd.Series, numbers: pd.Series | None, column: Column, problem_type: ProblemType | None
) -> Target:
    """Return the target's values, with the problem type inferred where it is not given.

    `labels` are its cells as text, `numbers` as float64 where it is a column of numbers. Raises
    `TooFewRows` or `UnusableTarget`.
    """
    notices: list[Notice] = []
    if problem_type is None:
        problem_type = _infer_problem_type(numbers)
        notices.append(_guessed(column, problem_type))
    if problem_type == "classification":
        values = _as_labels(labels, numbers)
    else:
        values = _quantities(labels, numbers, column)
    values = values.rename(column.name)
    if len(values) < MIN_ROWS:
        raise _too_few(len(values), column.name)
    if (values == values.iloc[0]).all():
        raise UnusableTarget(
            f"Every row has the same value in '{column.name}', so there is nothing to "
            "predict. Choose another column."
        )
    if problem_type == "classification":
        _check_classes(values)
    return Target(problem_type, values, tuple(notices))


def _too_few(known: int, name: str) -> TooFewRows:
    return TooFewRows(
        f"Only {known} rows have a value in '{name}'; at least {MIN_ROWS} are needed. Add "
        "more rows."
    )


def _guessed(column: Column, problem_type: ProblemType) -> Notice:
    other = "regression" if problem_type == "classification" else "classification"
    what = "classes" if problem_type == "classification" else "amounts"
    message = (
        f"The values of '{column.name}' were taken for {what} ({problem_type}). If they are not, "
        f"choose {other}."
    )
    return Notice("problem_type", message, column=column.name)


def _infer_problem_type(numbers: pd.Series | None) -> ProblemType:
    if numbers is None:
        return "classification"
    known = numbers.dropna()
    counts = known.value_counts()
    if len(known) == 0 or not (known % 1 == 0).all():
        return "regression"
    if known.min() >= YEARS[0] and known.max() <= YEARS[1]:
        return "regression" if len(counts) > 2 else "classification"
    # In a short table few values are different anyway: codes of classes repeat, quantities do not.
    if len(counts) <= max(2, min(MAX_NUMBERED_CLASSES, len(known) // 2)):
        return "classification"
    steady = counts.min() * 3 >= counts.mean() and len(known) >= 5 * len(counts)
    in_a_row = known.max() - known.min() == len(counts) - 1 and known.min() in {0, 1}
    return "classification" if len(counts) <= MAX_DIGITS and steady and in_a_row else "regression"


def _as_labels(labels: pd.Series, numbers: pd.Series | None) -> pd.Series:
    if numbers is not None:
        known = numbers.dropna()
        return known.map(lambda v: str(int(v)) if v.is_integer() else repr(v)).astype(object)
    return labels[labels != ""].astype(object)


def _quantities(labels: pd.Series, numbers: pd.Series | None, column: Column) -> pd.Series:
    if numbers is not None:
        words = [m for m in column.markers if not _says_missing(m)]
        if words:
            raise _not_numbers(column.name, words[0])
        return numbers.dropna()
    if column.reason is not None and column.reason.startswith("codes"):
        raise UnusableTarget(
            f"The column '{column.name}' looks like a code, not an amount ({column.reason[7:]}). "
            "Choose classification, or correct the column's type to number."
        )
    known = labels[labels != ""]
    as_numbers = pd.to_numeric(known, errors="coerce")
    # One label alone is a constant, not a column of words.
    if as_numbers.notna().all():
        return as_numbers.astype(np.float64)
    raise _not_numbers(column.name, known[as_numbers.isna()].iloc[0])


def _says_missing(marker: str) -> bool:
    return marker.casefold() in MARKERS or is_filler(marker) or marker.strip("+-.0123456789") == ""


def _not_numbers(name: str, culprit: str) -> UnusableTarget:
    return UnusableTarget(
        f"The column '{name}' has values that are not numbers, such as '{shortened(culprit)}'. "
        "Correct them, or choose classification instead of regression."
    )


def _check_classes(labels: pd.Series) -> None:
    counts = labels.value_counts()
    if len(counts) > MAX_CLASSES:
        raise UnusableTarget(
            f"The column '{labels.name}' has {len(counts):,} different values; up to "
            f"{MAX_CLASSES} can be told apart. Group them, or choose regression if "
            "they are amounts."
        )
    # A class that appears once is either trained on or tested, so it cannot be evaluated.
    if (counts > 1).sum() <= 1:
        raise UnusableTarget(
            f"In the column '{labels.name}' fewer than two values appear more than "
            "once, too few to learn from. Add more rows, or choose another column."
        )
    if len(labels) < MIN_MEAN_ROWS_PER_CLASS * len(counts):
        raise UnusableTarget(
            f"The column '{labels.name}' has {len(counts):,} different values in {len(labels):,} "
            f"rows; each should appear {MIN_MEAN_ROWS_PER_CLASS} times or more on average. Add "
            "more rows, group the values, or choose regression if they are amounts."
        )


def as_labels(column: Column, name: str) -> Column:
    """Return a column that is read as text, under another name."""
    return replace(column, name=name, type="category", blank_is_no=False)
