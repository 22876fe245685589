"""The target: the column to predict, its problem type and its usable values."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from learning.conversion import to_numbers, to_text, within_bounds
from learning.errors import TooFewRows, UnknownTarget, UnusableTarget, listed, shortened

ProblemType: TypeAlias = Literal["classification", "regression"]

MIN_ROWS = 10  # a fifth of them are the test set, and R² is undefined for fewer than 2 rows
MAX_CLASSES = 100  # gradient boosting grows a tree per class in each of up to 1,000 iterations
# Whole numbers with at most so many different values are taken for codes of classes.
MAX_NUMBERED_CLASSES = 20
# The test set has a row of every class: with fewer rows a class it would be over a third of all.
MIN_MEAN_ROWS_PER_CLASS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """The target value of each row that has one, indexed like the table.

    Values are text for a classification, float64 for a regression.
    """

    problem_type: ProblemType
    values: pd.Series


def read_target(frame: pd.DataFrame, name: str, problem_type: ProblemType | None) -> Target:
    """Return the target column, with the problem type inferred where it is not given.

    Raises `UnknownTarget`, `TooFewRows` or `UnusableTarget`.
    """
    column = _known_values(frame, name)
    problem_type = problem_type or _infer_problem_type(column)
    values = _labels(column) if problem_type == "classification" else _quantities(column)
    if len(values) < MIN_ROWS:
        raise TooFewRows(
            f"Only {len(values)} rows have a value in '{name}'; at least {MIN_ROWS} "
            "are needed. Add more rows."
        )
    if (values == values.iloc[0]).all():
        raise UnusableTarget(
            f"Every row has the same value in '{name}', so there is nothing to "
            "predict. Choose another column."
        )
    if problem_type == "classification":
        _check_classes(values)
    return Target(problem_type, values)


def _known_values(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise UnknownTarget(
            f"The file has no column '{shortened(name)}'. Its columns are: {listed(frame.columns)}."
        )
    column = frame[name].dropna()
    if column.empty and len(frame):
        raise UnusableTarget(
            f"The column '{name}' has no values. Choose another column to predict."
        )
    return column


def _infer_problem_type(column: pd.Series) -> ProblemType:
    numbers = to_numbers(column)
    distinct = numbers.nunique()
    if numbers.isna().any():
        return "classification"
    # In a short table few values are different anyway: codes of classes repeat, quantities do not.
    few = distinct <= max(2, min(MAX_NUMBERED_CLASSES, len(column) // 2))
    return "classification" if few and (numbers % 1 == 0).all() else "regression"


def _labels(column: pd.Series) -> pd.Series:
    labels = to_text(column)
    return labels[labels != ""]


def _quantities(column: pd.Series) -> pd.Series:
    numbers = to_numbers(column)
    if numbers.isna().any():
        culprit = shortened(column[numbers.isna()].iloc[0])
        raise UnusableTarget(
            f"The column '{column.name}' has values that are not numbers, such as "
            f"'{culprit}'. Correct them, or choose classification instead of "
            "regression."
        )
    return within_bounds(numbers).dropna()


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
