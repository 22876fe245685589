"""Trains a model: `prepare` checks the data and the request, `run` fits and evaluates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from learning.algorithms.algorithm import Algorithm
from learning.algorithms.hyperparameters import Hyperparameter, complete
from learning.algorithms.registry import algorithm_named, problem_type_for
from learning.applying import read
from learning.evaluation import evaluate
from learning.features import Features, choose_features, preprocessor, select_features
from learning.profiling import profile
from learning.progress import FINISHED, OnProgress, scaled
from learning.relations import training_notices
from learning.schema.column import Column
from learning.schema.notice import Notice
from learning.schema.schema import Schema
from learning.splitting import split
from learning.target import (
    ProblemType,
    Target,
    as_labels,
    as_target,
    check_target,
    find_target,
    read_target,
)
from learning.trained_model import TrainedModel

SAMPLED_ROWS = 20_000  # by which columns that give the target away are found
# Names that no column of a file has, for the target among the features.
LABELS, NUMBERS = "\0labels", "\0numbers"


@dataclass(frozen=True, slots=True)
class Training:
    """A checked request with its data; nothing is fitted yet.

    `frame` holds the features' values, `notices` what depends on this target.
    """

    frame: pd.DataFrame
    target: Target
    features: Features
    schema: Schema
    algorithm: Algorithm
    hyperparameters: Mapping[str, Hyperparameter]
    notices: tuple[Notice, ...] = ()

    @property
    def problem_type(self) -> ProblemType:
        """The problem type asked for, or the one inferred from the data."""
        return self.target.problem_type

    @property
    def row_count(self) -> int:
        """How many rows the file has, without the line of column names."""
        return len(self.frame)

    def run(self, on_progress: OnProgress) -> TrainedModel:
        """Fit and evaluate a model on one core.

        Calls `on_progress` before every piece of work, often more than once a second (see
        `ThrottledProgress`), with 10 to 100 percent. What it raises is let through, which cancels.
        """
        on_progress(10.0, "Preparing the columns")
        pipeline = self._unfitted()
        # A worker runs beside others on its machine: more threads would take their cores.
        with threadpool_limits(1):
            metrics = self._fit(pipeline, on_progress)
        on_progress(FINISHED, "Finished")
        is_classifier = self.problem_type == "classification"
        return TrainedModel(
            model=pipeline,
            problem_type=self.problem_type,
            algorithm=self.algorithm.name,
            metrics=metrics,
            row_count=self.row_count,
            column_count=len(self.schema.columns),
            feature_names=self.features.names,
            columns=self.features.columns,
            notices=self.notices,
            classes=tuple(str(label) for label in pipeline.classes_) if is_classifier else None,
        )

    def _unfitted(self) -> Pipeline:
        estimator = self.algorithm.estimators[self.problem_type]
        return Pipeline(
            [
                ("features", preprocessor(self.features)),
                ("model", estimator(**self.algorithm.fixed, **self.hyperparameters)),
            ]
        )

    def _fit(self, pipeline: Pipeline, on_progress: OnProgress) -> dict[str, float]:
        selected = select_features(self.frame, self.features)
        train, test = split(self.target)
        # Only training rows are fitted on, medians and categories included: the metrics would
        # flatter a model that has seen the test set. Pipeline.fit could not report progress.
        matrix = pipeline["features"].fit_transform(selected.loc[train])
        report = scaled(on_progress, 15.0, 90.0)
        self.algorithm.fit(pipeline["model"], matrix, self.target.values[train], report)
        on_progress(90.0, "Evaluating")
        return evaluate(pipeline, selected.loc[test], self.target)


def prepare(
    source: BinaryIO | Path,
    *,
    target: str,
    algorithm: str,
    problem_type: str | None,
    hyperparameters: Mapping[str, object],
    schema: Schema | None = None,
) -> Training:
    """Read a file by its schema and check that a model can learn `target` from its columns.

    Without a `schema` the file is profiled first. `problem_type` is "classification",
    "regression" or None (inferred from the data). Every `LearningError` about the data or the
    request is raised here, none later.
    """
    chosen = algorithm_named(algorithm)
    requested = problem_type_for(chosen, problem_type)
    complete_hyperparameters = complete(chosen.hyperparameters, hyperparameters)
    known = schema if schema is not None else _profiled(source)
    column = as_target(find_target(known, target))
    check_target(column)
    features, notices = choose_features(known, column.name)
    found, frame = _read(source, known, column, features, requested)
    notices += [
        *found.notices,
        *training_notices(_sample(source, known, column), found, known, column),
    ]
    return Training(frame, found, features, known, chosen, complete_hyperparameters, tuple(notices))


def _profiled(source: BinaryIO | Path) -> Schema:
    found = profile(source).schema
    _rewind(source)
    return found


def _read(
    source: BinaryIO | Path,
    schema: Schema,
    column: Column,
    features: Features,
    requested: ProblemType | None,
) -> tuple[Target, pd.DataFrame]:
    """Read the features, and the target both as labels and as numbers."""
    columns = [*features.columns, as_labels(column, LABELS)]
    if column.type == "number":
        columns.append(replace(column, name=NUMBERS))
    frame = read(source, schema, columns)
    _rewind(source)
    numbers = frame[NUMBERS] if column.type == "number" else None
    found = read_target(frame[LABELS].astype(object), numbers, column, requested)
    return found, select_features(frame, features)


def _sample(source: BinaryIO | Path, schema: Schema, target: Column) -> pd.DataFrame:
    """The first rows of all columns but the target, ids as labels: what may give it away."""
    others = [c for c in schema.columns if c.name != target.name and c.type != "empty"]
    columns = [as_labels(c, c.name) if c.type in {"id", "constant"} else c for c in others]
    frame = read(source, schema, columns, max_rows=SAMPLED_ROWS)
    _rewind(source)
    return frame


def _rewind(source: BinaryIO | Path) -> None:
    if not isinstance(source, Path):
        source.seek(0)
