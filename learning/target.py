"""The column to predict: what kind of problem it poses, and its usable values."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from learning.errors import TooFewRows, UnknownTarget, UnusableTarget
from learning.values import numbers, texts, within_bounds
from learning.wording import listed, shortened

ProblemType: TypeAlias = Literal["classification", "regression"]

MIN_ROWS = 10
MAX_CLASSES = 100
MAX_NUMBERED_CLASSES = 20
MEAN_ROWS_PER_CLASS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """The true value of each row of the table that has one.

    It is text for a classification, float64 for a regression.
    """

    problem_type: ProblemType
    truth: pd.Series


def target_in(frame: pd.DataFrame, name: str, problem_type: ProblemType | None) -> Target:
    """Find the column to predict, and infer the problem type where it is not given.

    Raises `UnknownTarget`, `TooFewRows` or `UnusableTarget`.
    """
    column = _known_values(frame, name)
    kind = problem_type or _inferred(column)
    truth = _classes(column) if kind == "classification" else _amounts(column)
    if len(truth) < MIN_ROWS:
        raise TooFewRows(
            f"Only {len(truth)} rows have a value in '{name}'; at least {MIN_ROWS} "
            "are needed. Add more rows."
        )
    if (truth == truth.iloc[0]).all():
        raise UnusableTarget(
            f"Every row has the same value in '{name}', so there is nothing to "
            "predict. Choose another column."
        )
    if kind == "classification":
        _refuse_hopeless_classes(truth)
    return Target(kind, truth)


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


def _inferred(column: pd.Series) -> ProblemType:
    amounts = numbers(column)
    distinct = amounts.nunique()
    if amounts.isna().any():
        return "classification"
    few = distinct <= max(2, min(MAX_NUMBERED_CLASSES, len(column) // 2))
    return "classification" if few and (amounts % 1 == 0).all() else "regression"


def _classes(column: pd.Series) -> pd.Series:
    labels = texts(column)
    return labels[labels != ""]


def _amounts(column: pd.Series) -> pd.Series:
    amounts = numbers(column)
    if amounts.isna().any():
        culprit = shortened(column[amounts.isna()].iloc[0])
        raise UnusableTarget(
            f"The column '{column.name}' has values that are not numbers, such as "
            f"'{culprit}'. Correct them, or choose classification instead of "
            "regression."
        )
    return within_bounds(amounts).dropna()


def _refuse_hopeless_classes(labels: pd.Series) -> None:
    counts = labels.value_counts()
    if len(counts) > MAX_CLASSES:
        raise UnusableTarget(
            f"The column '{labels.name}' has {len(counts):,} different values; up to "
            f"{MAX_CLASSES} can be told apart. Group them, or choose regression if "
            "they are amounts."
        )
    if (counts > 1).sum() <= 1:
        raise UnusableTarget(
            f"In the column '{labels.name}' fewer than two values appear more than "
            "once, too few to learn from. Add more rows, or choose another column."
        )
    if len(labels) < MEAN_ROWS_PER_CLASS * len(counts):
        raise UnusableTarget(
            f"The column '{labels.name}' has {len(counts):,} different values in {len(labels):,} "
            f"rows; each should appear {MEAN_ROWS_PER_CLASS} times or more on average. Add more "
            "rows, group the values, or choose regression if they are amounts."
        )
