"""The outcome of a training."""

from dataclasses import dataclass

from sklearn.pipeline import Pipeline

from learning.target import ProblemType


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted model, how good it is and what it was made of.

    `model` expects cleaned rows: use `predict`. `metrics` are those of `evaluate`, on
    the fifth of the rows kept back. `row_count` and `column_count` are the file's;
    `feature_names` are the columns learnt from, `classes` the labels (classification).
    """

    model: Pipeline
    problem_type: ProblemType
    algorithm: str
    metrics: dict[str, float]
    row_count: int
    column_count: int
    feature_names: tuple[str, ...]
    classes: tuple[str, ...] | None
